// The key by which a machine that asks to join is known (Ed25519). Made once; never overwritten.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { fingerprintOf } from "../shared/announce.ts";
import { CorruptFile, makePrivateDirectory, readIfThere, replaceFile } from "./files.ts";
import { messageOf } from "../shared/log.ts";

export interface Identity {
  publicKey: Uint8Array;
  fingerprint: string;
  sign(bytes: Uint8Array): Uint8Array;
}

/** The stored key, or a new one (0600). Throws CorruptFile for a file that is there and cannot be used; it is left as it is. */
export function openIdentity(stateDir: string): Identity {
  const stored = readIdentity(stateDir);
  if (stored) return stored;
  const { privateKey } = generateKeyPairSync("ed25519");
  makePrivateDirectory(stateDir);
  replaceFile(
    identityPath(stateDir),
    privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  );
  return identityOf(privateKey);
}

/** The stored key; undefined when there is none. Throws CorruptFile. */
export function readIdentity(stateDir: string): Identity | undefined {
  const path = identityPath(stateDir);
  const bytes = readKeyFile(path);
  if (!bytes) return undefined;
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: Buffer.from(bytes), format: "pem", type: "pkcs8" });
    if (key.asymmetricKeyType !== "ed25519") throw new Error("another kind of key");
  } catch {
    throw new CorruptFile(path, "is not an Ed25519 key in PEM");
  }
  return identityOf(key);
}

export function identityPath(stateDir: string): string {
  return join(stateDir, "identity.key");
}

function readKeyFile(path: string): Uint8Array | undefined {
  try {
    const bytes = readIfThere(path);
    const mode = bytes && Deno.statSync(path).mode;
    const isOpen = Deno.build.os !== "windows" && mode && (mode & 0o077) !== 0;
    if (!isOpen) return bytes;
  } catch (error) {
    throw new CorruptFile(path, `cannot be read: ${messageOf(error)}`);
  }
  throw new CorruptFile(path, `can be read by others (run: chmod 600 ${path})`);
}

function identityOf(privateKey: KeyObject): Identity {
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  const publicKey = new Uint8Array(Buffer.from(x!, "base64url"));
  return {
    publicKey,
    fingerprint: fingerprintOf(publicKey),
    sign: (bytes) => new Uint8Array(sign(null, bytes, privateKey)),
  };
}
