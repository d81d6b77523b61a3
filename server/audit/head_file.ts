// How many rows the audit has and what its last one is, kept beside the database: a tail that was cut off shows by it. Written
// only after the rows are on the disk, so it may be behind the database (killed in between), never ahead of it.
import { giveToOwnerOf } from "../database/owner.ts";
import { createHmac, timingSafeEqual } from "node:crypto";
import { join } from "node:path";

export interface Fault {
  /** The first wrong row. */
  id: number;
  what: string;
  noticed_at: number;
}

export interface Head {
  rows: number;
  /** Of the last row; 0 when there is none. */
  id: number;
  /** Hexadecimal; "" when there is none. */
  mac: string;
  /** What was found to be wrong, until an admin has said that a copy was put back. */
  fault: Fault | null;
}

export const NO_ROWS: Head = { rows: 0, id: 0, mac: "", fault: null };

/** "changed" when it is not as this program wrote it. */
export type HeadFound = Head | "missing" | "changed";

const fileOf = (dataDir: string) => join(dataDir, "audit-head.json");

export async function readHead(dataDir: string, key: Uint8Array): Promise<HeadFound> {
  let text: string;
  try {
    text = await Deno.readTextFile(fileOf(dataDir));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "missing";
    throw error;
  }
  try {
    const { seal, ...head } = JSON.parse(text) as Head & { seal: string };
    const given = Uint8Array.fromHex(seal);
    return timingSafeEqual(given, sealOf(head, key)) ? head : "changed";
  } catch {
    // Not JSON, or no seal: someone else wrote it.
    return "changed";
  }
}

export async function writeHead(dataDir: string, key: Uint8Array, head: Head): Promise<void> {
  const file = fileOf(dataDir);
  const next = `${file}.new`;
  const handle = await Deno.open(next, { write: true, create: true, truncate: true, mode: 0o600 });
  try {
    const text = JSON.stringify({ ...head, seal: new Uint8Array(sealOf(head, key)).toHex() });
    const bytes = new TextEncoder().encode(text + "\n");
    for (let at = 0; at < bytes.length;) at += await handle.write(bytes.subarray(at));
    await handle.syncData();
  } finally {
    handle.close();
  }
  await giveToOwnerOf(dataDir, next);
  await Deno.rename(next, file);
}

function sealOf({ rows, id, mac, fault }: Head, key: Uint8Array) {
  const text = JSON.stringify([rows, id, mac, fault && [fault.id, fault.what, fault.noticed_at]]);
  return createHmac("sha256", key).update(`head ${text}`).digest();
}

/** One process at a time: the command line writes it beside a running server. */
export async function whileHeadIsOurs<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  const lock = await Deno.open(join(dataDir, "audit-head.lock"), {
    write: true,
    create: true,
    mode: 0o600,
  });
  try {
    await giveToOwnerOf(dataDir, join(dataDir, "audit-head.lock"));
    await lock.lock(true);
    return await work();
  } finally {
    lock.close();
  }
}
