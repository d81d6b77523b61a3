// The command verify-audit: whether the audit is as it was written.
import { join } from "node:path";
import { readHead } from "./audit/head_file.ts";
import { recordAudit } from "./audit/record.ts";
import { type Verdict, verifyAudit } from "./audit/verify.ts";
import { AUDIT_KEY } from "./audit/watch.ts";
import { openServer } from "./open.ts";
import { deriveKey, loadKey } from "./secrets.ts";
import type { Actor } from "./server.ts";
import type { Settings } from "./settings.ts";
import { UsageError } from "./usage.ts";
import { DatabaseError } from "./database/database_error.ts";

/** Prints what is right or wrong; returns the exit code: 0 the audit is whole, 1 it is not. */
export async function verifyAuditCommand(settings: Settings, args: string[]): Promise<number> {
  const [given, ...more] = args;
  const isRestored = given === "--restored";
  if (more.length > 0 || (given?.startsWith("-") && !isRestored)) {
    throw new UsageError("Usage: verify-audit, verify-audit FILE, or verify-audit --restored");
  }
  const copy = isRestored ? undefined : given;
  const key = deriveKey(await loadKey(settings.secretKeyFile, false), AUDIT_KEY);
  const verdict = await look(settings, key, copy);
  if (isRestored) return await accept(settings, verdict);
  if (!verdict.wrong) {
    const what = copy === undefined ? "The audit is whole" : "The audit in this copy fits";
    console.log(`${what}: ${verdict.rows} rows, the last is ${verdict.id} (${verdict.mac}).`);
    if (copy !== undefined) {
      console.log("Whether newer rows were cut off, only the server's own data folder tells.");
    }
    return 0;
  }
  console.error(`Row ${verdict.wrong.id} ${verdict.wrong.what}.`);
  if (verdict.isChainWhole) {
    console.error(
      `The ${verdict.rows} rows that are there fit. If an older copy of the database was put back, say so with: verify-audit --restored`,
    );
  }
  return 1;
}

async function look(settings: Settings, key: Uint8Array, copy?: string): Promise<Verdict> {
  const file = copy ?? join(settings.dataDir, "restic-manager.db");
  // Before the database: rows that a running server adds in between are then only newer.
  const head = copy === undefined ? await readHead(settings.dataDir, key) : null;
  try {
    await Deno.stat(file);
    return verifyAudit(file, key, head);
  } catch (error) {
    throw new DatabaseError(`The audit in ${file} cannot be read: ${(error as Error).message}.`);
  }
}

const CONSOLE: Actor = { kind: "system", id: null, name: "command line", address: null };

/** An older copy lacks rows at the end and is whole in itself; anything else is not what putting back a copy looks like. */
async function accept(settings: Settings, { wrong, isChainWhole, rows }: Verdict): Promise<number> {
  if (!wrong) {
    console.log("The audit is whole: there is nothing to say.");
    return 0;
  }
  if (!isChainWhole) {
    console.error(`Row ${wrong.id} ${wrong.what}. A copy that was put back does not look so.`);
    return 1;
  }
  const { server, close } = await openServer(settings, { shared: true });
  try {
    await server.audit.startAfresh();
    await recordAudit(server.db, server.now(), CONSOLE, {
      action: "audit.restored",
      detail: { first_wrong_row: wrong.id, because: wrong.what, rows },
    });
  } finally {
    await close();
  }
  console.log(`Noted in the audit: from here on its ${rows} rows are what there is.`);
  return 0;
}
