import { createHash, randomBytes } from "node:crypto";

/** 256 bits for a person's or a program's eyes only, in letters that survive URLs and shells. */
export function randomSecret(prefix = ""): string {
  return prefix + randomBytes(32).toString("base64url");
}

/** How secrets of full strength are stored: found by an index, useless to a reader of the database. */
export function sha256(text: string | Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(text).digest());
}

/** A password that people can copy from a screen: 25 letters and digits in groups of five, about 124 bits. */
export function readablePassword(): string {
  // Without the look-alikes 0, o, 1, l and i: 31 letters; a byte above 247 would favour the first ones.
  const letters = "abcdefghjkmnpqrstuvwxyz23456789";
  let text = "";
  while (text.length < 25) {
    for (const byte of randomBytes(32)) {
      if (byte < 248 && text.length < 25) text += letters[byte % 31];
    }
  }
  return text.replace(/(.{5})(?=.)/g, "$1-");
}
