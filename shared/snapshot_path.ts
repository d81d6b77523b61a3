// The place of a folder in a snapshot, exactly, whatever its names hold. A name there is bytes: any but `/` and NUL. One that is text is
// written as it is (`/srv/a b`); a path with a name that is no UTF-8 is written byte by byte: `bytes:/srv/caf%E9`. A path in text always
// begins with `/`, so that the two cannot be taken for each other.

/** Characters of a path as it is written. */
export const SNAPSHOT_PATH_LIMIT = 16_384;
/** Bytes of one name: more than any file system has. */
export const SNAPSHOT_NAME_LIMIT = 1024;

const BYTES = "bytes:";
const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** The names on the way from the root, which has none. Throws a RangeError that says what is accepted. */
export function readSnapshotPath(text: string): Uint8Array[] {
  if (text.length > SNAPSHOT_PATH_LIMIT) {
    throw new RangeError(`must have at most ${SNAPSHOT_PATH_LIMIT} characters`);
  }
  const isBytes = text.startsWith(BYTES);
  const path = isBytes ? text.slice(BYTES.length) : text;
  if (!path.startsWith("/") || !path.isWellFormed()) {
    throw new RangeError(
      "must be a path in the snapshot that begins with /, such as /home; one with a name that is not UTF-8 is written bytes:/caf%E9",
    );
  }
  // A name is never empty, so that two slashes are one.
  return path.split("/").filter(Boolean).map((part) =>
    isBytes ? readName(part) : checked(encoder.encode(part))
  );
}

/** One name that is written byte by byte. Throws a RangeError. */
export function readName(part: string): Uint8Array {
  if (!/^(?:[\w.~-]|%[0-9A-Fa-f]{2})+$/.test(part)) {
    throw new RangeError(
      "must write each byte that is no letter, digit, - . _ or ~ as % and two hexadecimal digits",
    );
  }
  const bytes = part.replaceAll(
    /%(..)/g,
    (_, hex: string) => String.fromCharCode(parseInt(hex, 16)),
  );
  return checked(Uint8Array.from(bytes, (letter) => letter.charCodeAt(0)));
}

/** The shortest way to write it: one and the same for each place. */
export function writeSnapshotPath(names: readonly Uint8Array[]): string {
  const texts = names.map(textOf);
  if (texts.every((text) => text !== undefined)) return `/${texts.join("/")}`;
  return `${BYTES}/${names.map(writeName).join("/")}`;
}

/** The same place with each name byte by byte, as it is for a name that is no UTF-8. Throws a RangeError for what is no path. */
export function writePathInBytes(path: string): string {
  return `${BYTES}/${readSnapshotPath(path).map(writeName).join("/")}`;
}

/** A name byte by byte. */
export function writeName(name: Uint8Array): string {
  return Array.from(name, (byte) => {
    const letter = String.fromCharCode(byte);
    return /[\w.~-]/.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

/** The name as text; undefined where it is no UTF-8. */
export function textOf(name: Uint8Array): string | undefined {
  try {
    return strict.decode(name);
  } catch {
    return undefined;
  }
}

/** The name for eyes: what is no UTF-8 is �. */
export function shownName(name: Uint8Array): string {
  return lenient.decode(name);
}

/** Whether it can be the name of a file. */
export function isName(name: Uint8Array): boolean {
  const text = textOf(name);
  return name.length > 0 && name.length <= SNAPSHOT_NAME_LIMIT && text !== "." && text !== ".." &&
    !name.includes(0) && !name.includes(0x2f);
}

function checked(name: Uint8Array): Uint8Array {
  if (isName(name)) return name;
  throw new RangeError(
    `must be made of names of at most ${SNAPSHOT_NAME_LIMIT} bytes, without . and .. and without NUL`,
  );
}

/** A path for eyes. What is no path stays as it is written. */
export function shownPath(path: string): string {
  try {
    return `/${readSnapshotPath(path).map(shownName).join("/")}`;
  } catch {
    return path;
  }
}
