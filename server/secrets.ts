// Seals what is stored (AES-256-GCM). Each ciphertext is bound to the table, row and column that own it: moved
// elsewhere, it does not open.
import { hkdfSync } from "node:crypto";
import { dirname } from "node:path";

/** Where a sealed value lives. */
export interface Place {
  table: string;
  row: string;
  column: string;
}

export interface Secrets {
  seal(text: string, place: Place): Promise<Uint8Array>;
  /** Throws when the key is another one, or the value was changed or moved. */
  open(sealed: Uint8Array, place: Place): Promise<string>;
  /** A key for one other use (HKDF-SHA-256, RFC 5869), 32 bytes; the label names the use. */
  derive(label: string): Uint8Array;
}

const FORMAT = 1;
const NONCE_BYTES = 12;
const KEY_BYTES = 32;

export async function createSecrets(key: Uint8Array<ArrayBuffer>): Promise<Secrets> {
  const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);
  const bind = (place: Place) =>
    new TextEncoder().encode(JSON.stringify([place.table, place.row, place.column]));
  return {
    derive: (label) => deriveKey(key, label),
    async seal(text, place) {
      const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      const body = await crypto.subtle.encrypt(
        { name: "AES-GCM", iv, additionalData: bind(place) },
        aes,
        new TextEncoder().encode(text),
      );
      return Uint8Array.of(FORMAT, ...iv, ...new Uint8Array(body));
    },
    async open(sealed, place) {
      const where = `${place.table}.${place.column}`;
      if (sealed[0] !== FORMAT) {
        throw new Error(`The sealed value in ${where} has an unknown format.`);
      }
      try {
        const text = await crypto.subtle.decrypt(
          {
            name: "AES-GCM",
            iv: sealed.slice(1, 1 + NONCE_BYTES),
            additionalData: bind(place),
          },
          aes,
          sealed.slice(1 + NONCE_BYTES),
        );
        return new TextDecoder().decode(text);
      } catch {
        throw new Error(
          `The sealed value in ${where} does not open: it belongs to another row or was sealed with another key.`,
        );
      }
    },
  };
}

export function deriveKey(key: Uint8Array, label: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key, "", `restic-manager ${label}`, 32));
}

/** The key file is wrong; the message names it and what to do. The file is left as it is. */
export class KeyFileError extends Error {
  override name = "KeyFileError";
}

/**
 * The 32 bytes of the key file, made (0600) when `mayCreate` and there is none. Never overwrites; refuses a file of
 * another size or one that others may read.
 */
export async function loadKey(file: string, mayCreate: boolean): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const key = await Deno.readFile(file);
    if (key.length !== KEY_BYTES) {
      throw new KeyFileError(
        `The key file ${file} has ${key.length} bytes, but must have ${KEY_BYTES}. It was left as it is.`,
      );
    }
    const { mode } = await Deno.stat(file);
    if (Deno.build.os !== "windows" && mode !== null && (mode & 0o077) !== 0) {
      throw new KeyFileError(`The key file ${file} can be read by others; run: chmod 600 ${file}`);
    }
    return key;
  } catch (error) {
    if (error instanceof KeyFileError) throw error;
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new KeyFileError(`The key file ${file} cannot be read: ${(error as Error).message}`);
    }
  }
  if (!mayCreate) {
    throw new KeyFileError(
      `The key file ${file} is missing, but the database holds secrets that only it opens. Put it back from your backup.`,
    );
  }
  try {
    await makeKey(file);
  } catch (error) {
    throw new KeyFileError(`The key file ${file} cannot be made: ${(error as Error).message}`);
  }
  return await loadKey(file, false);
}

/** Under its name it is there whole or not at all, also after a kill; one that another program made meanwhile stays. */
async function makeKey(file: string): Promise<void> {
  await Deno.mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${crypto.randomUUID()}.new`;
  try {
    const handle = await Deno.open(draft, { write: true, createNew: true, mode: 0o600 });
    try {
      await handle.write(crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
      await handle.sync();
    } finally {
      handle.close();
    }
    // Unlike a rename a link never overwrites.
    await Deno.link(draft, file).catch((error) => {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    });
  } finally {
    await Deno.remove(draft).catch(() => {});
  }
}
