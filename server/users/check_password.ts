import { AppError } from "../errors.ts";

const SHORTEST = 10;
const LONGEST = 256;
/** Names from this length are in no random password. */
const CHANCE_LENGTH = 4;

/** Length is what makes a password strong; no rules about digits or signs (OWASP ASVS 5.0, 6.2). Throws invalid. */
export function checkPassword(password: string, username: string, field = "password"): void {
  if (password.length < SHORTEST || password.length > LONGEST) {
    throw new AppError("invalid", `${field} must be ${SHORTEST} to ${LONGEST} characters.`, field);
  }
  const plain = password.toLowerCase();
  const oneLetter = new Set(plain).size < 4;
  const guessable =
    /^(0123456789|1234567890|password|qwertyuiop|letmein|administrator|restic-?manager)+\d*!?$/;
  if (oneLetter || isMadeOf(plain, username.toLowerCase()) || guessable.test(plain)) {
    throw new AppError(
      "invalid",
      `${field} is too easy to guess: use several words, and not the user name.`,
      field,
    );
  }
}

/** A short name is in many a good password by chance: of one with such a name hardly anything else must be left. */
function isMadeOf(password: string, username: string): boolean {
  if (username.length >= CHANCE_LENGTH) return password.includes(username);
  return password.replaceAll(username, "").length < SHORTEST;
}
