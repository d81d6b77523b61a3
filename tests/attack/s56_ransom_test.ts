import assert from "node:assert/strict";
import { join } from "node:path";
import { attack } from "../support/trial.ts";
import { leaveOut } from "../support/left_out.ts";
import { RealPair } from "../support/real_pair.ts";
import { missingRestServer, startRestServer } from "../support/rest_server.ts";
import { restics } from "../support/restic.ts";

const PASSWORD = "password-of-the-repository";
const PROMISE = "who takes over a host cannot destroy its backups on append-only storage";

async function filesOf(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    files.push(...isDirectory ? await filesOf(path) : [path]);
  }
  return files.sort();
}

if (missingRestServer) leaveOut(`S56: ${PROMISE}`, missingRestServer);
else {
  attack({
    id: "S56",
    promise: PROMISE,
    done:
      "a thief has all that a host has (repository credential, bearer, plan): he deletes and overwrites each kind of file by HTTP, forgets, prunes and changes keys with restic, and asks the server for more by the host's connection and its API",
    expected:
      "each file of before is there byte for byte, the backup restores, and the server gave him no credential that may delete",
  }, async (see) => {
    await using pair = await RealPair.start();
    const served = join(pair.folder, "served");
    await using storage = await startRestServer(served, true);
    const source = join(pair.folder, "files");
    await Deno.mkdir(source);
    await Deno.writeTextFile(join(source, "precious"), "precious content");
    const restic = restics.at(-1)!;
    const host = await pair.join("alpha", {
      restic: restic.path,
      repository: { url: `${storage.url}r/`, password: PASSWORD, is_new: true, append_only: true },
      paths: [source],
    });
    const { repositoryId } = host;
    await pair.api("PUT", `/api/repositories/${repositoryId}/admin-credential`, {
      username: "admin",
      rest_password: "admin-canary-56",
    });
    const done = await pair.backup(host);
    assert.equal(done.status, "succeeded", done.reason);
    const before = new Map<string, string>();
    const digest = async (path: string) =>
      new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
    // Locks come and go: they are all that an append-only server lets go.
    const kept = (path: string) => !path.includes("/locks/");
    for (const path of (await filesOf(served)).filter(kept)) before.set(path, await digest(path));

    const base = storage.url.slice(5);
    const answers: number[] = [];
    for (const path of before.keys()) {
      const name = path.slice(served.length + 1).replace(/\/data\/[0-9a-f]{2}\//, "/data/");
      for (
        const [method, body] of [["DELETE", null], ["POST", "ransom"], ["PUT", "ransom"]] as const
      ) {
        const { status, body: said } = await fetch(`${base}${name}`, { method, body });
        await said?.cancel();
        answers.push(status);
        assert.ok(status >= 400, `${method} ${name}: ${status}`);
      }
    }
    for (const path of ["r/", "", "r/../r/config", "r/%2e%2e/r/keys/"]) {
      const { status, body } = await fetch(`${base}${path}`, { method: "DELETE" });
      await body?.cancel();
      answers.push(status);
    }
    const run = async (...args: string[]) => {
      const { code } = await new Deno.Command(restic.path, {
        args,
        env: { RESTIC_REPOSITORY: `${storage.url}r/`, RESTIC_PASSWORD: PASSWORD },
        stdin: "null",
        signal: AbortSignal.timeout(8000),
      }).output();
      return `${args[0]} ${code}`;
    };
    const byRestic = await Promise.all([
      run("forget", "latest", "--prune", "--no-cache"),
      run("tag", "--set", "gone", "--no-cache"),
      run("unlock", "--remove-all", "--no-cache"),
    ]);
    // What the server gives to who has the host's bearer, and to an operator.
    const asked = [
      await pair.test.api("olive", "POST", `/api/repositories/${repositoryId}/jobs`, {
        kind: "prune",
      }),
      await pair.test.api("olive", "PUT", `/api/repositories/${repositoryId}/maintenance`, {
        host_ids: [host.hostId],
      }),
      await pair.test.api("alice", "POST", `/api/repositories/${repositoryId}/jobs`, {
        kind: "prune",
      }),
    ].map(({ status }) => status);
    for (const [path, was] of before) assert.equal(await digest(path), was, path);
    const target = join(pair.folder, "restored");
    const restored = await run(
      "restore",
      done.summary.snapshot_id,
      "--target",
      target,
      "--no-cache",
    );
    const content = await Deno.readTextFile(join(target, source, "precious"));
    const texts = host.logged.join("\n");
    see(
      `${answers.length} requests to delete or overwrite: ${
        [...new Set(answers)].join(", ")
      }; restic: ${byRestic.join(", ")}; the server: ${
        asked.join(", ")
      }; ${before.size} files unchanged; ${restored}`,
    );
    assert.equal(content, "precious content");
    assert.deepEqual(asked, [403, 403, 409], "no host is named for the admin credential");
    assert.ok(!texts.includes("admin-canary-56"));
  });
}
