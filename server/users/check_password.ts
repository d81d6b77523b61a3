import { AppError } from "../errors.ts";

const SHORTEST = 10;
const LONGEST = 256;

/** Length is what makes a password strong; no rules about digits or signs (OWASP ASVS 5.0, 6.2). Throws invalid. */
export function checkPassword(password: string, username: string, field = "password"): void {
  if (password.length < SHORTEST || password.length > LONGEST) {
    throw new AppError("invalid", `${field} must be ${SHORTEST} to ${LONGEST} characters.`, field);
  }
  const plain = password.toLowerCase();
  const oneLetter = new Set(plain).size < 4;
  const guessable =
    /^(0123456789|1234567890|password|qwertyuiop|letmein|administrator|restic-?manager)+\d*!?$/;
  if (oneLetter || plain.includes(username.toLowerCase()) || guessable.test(plain)) {
    throw new AppError(
      "invalid",
      `${field} is too easy to guess: use several words, and not the user name.`,
      field,
    );
  }
}
