// The path of a repository's address, read as restic's own path.Clean and url.Parse read it.

/** Thrown messages continue the field's name: "url must …". */
export class AddressError extends RangeError {
  override name = "AddressError";
}

/**
 * The shortest path that names the same folder, by its text alone: no empty segments, no `.`, and `..` taken back where
 * there is something to take back. "" and "." are the folder itself. Source: Go's path.Clean.
 */
export function cleanPath(path: string): string {
  const isAbsolute = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!isAbsolute) parts.push("..");
  }
  return `${isAbsolute ? "/" : ""}${parts.join("/")}` || ".";
}

/** What the percent signs of a URL's path stand for. Throws AddressError for a sign that begins no pair of hex digits. */
export function decodePath(path: string): string {
  if (/%(?![0-9a-f]{2})/i.test(path)) {
    throw new AddressError("must write a percent sign of the path as %25");
  }
  const bytes: number[] = [];
  for (const [piece] of path.matchAll(/%[0-9a-f]{2}|[^%]+/gi)) {
    if (piece.startsWith("%")) bytes.push(Number.parseInt(piece.slice(1), 16));
    else bytes.push(...new TextEncoder().encode(piece));
  }
  const decoded = asText(Uint8Array.from(bytes));
  refuseUnprintable(decoded);
  return decoded;
}

/** Bytes that are no text keep their percent signs. */
function asText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const shown = (byte: number) =>
      byte < 0x80 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase()}`;
    return [...bytes].map(shown).join("");
  }
}

/** In every part of an address, also after percent signs are decoded. */
export function refuseUnprintable(text: string): void {
  if (/[\p{Cc}\u2028\u2029]/u.test(text) || !text.isWellFormed()) {
    throw new AddressError("must not hold line breaks or control characters");
  }
  // Programs that cut a command line at its blanks would read an option there.
  if (/\s-/.test(text)) throw new AddressError("must not hold a blank that is followed by -");
}
