// An admin's own shell on the database, as a process of its own: it holds what it was told to until it is ended.
import { join } from "node:path";

/** Runs the SQL and then holds still. Dispose of it to let go. */
export async function sqliteShell(dataDir: string, sql: string): Promise<AsyncDisposable> {
  const code = `
    const { DatabaseSync } = await import("node:sqlite");
    const db = new DatabaseSync(${
    JSON.stringify(join(dataDir, "restic-manager.db"))
  }, { timeout: 5000 });
    db.exec(${JSON.stringify(sql)});
    console.log("holding");
    await new Response(Deno.stdin.readable).text();`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", code],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  if (!value) throw new Error(`the shell ended: ${(await child.status).code}`);
  reader.releaseLock();
  return {
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await child.stdout.cancel();
      await child.status;
    },
  };
}
