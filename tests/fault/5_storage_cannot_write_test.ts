import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { breakAndMend, type Broken } from "../support/broken_storage.ts";
import { busyHost } from "../support/quotas.ts";
import { startServer, type TestServer } from "../support/start_server.ts";
import { fault } from "../support/trial.ts";

const EXPECTED =
  "every change gets 503 storage_cannot_write with the reason and Retry-After, forms a page that nothing was saved; pages are read and have a banner; /healthz and /readyz tell; the agent is not acknowledged and keeps its connection; seconds after the mending all of it is over";

const WAYS: { id: string; done: string; broken: (test: TestServer) => Broken }[] = [
  {
    id: "item 5, locked",
    done: "another program holds BEGIN IMMEDIATE on the database",
    broken: ({ dataDir }) => ({
      reason: /keeps the database locked/,
      breakIt: () => {
        const shell = new DatabaseSync(join(dataDir, "restic-manager.db"), { timeout: 0 });
        shell.exec("begin immediate");
        return Promise.resolve(() => Promise.resolve(shell.close()));
      },
    }),
  },
  {
    id: "item 5, read-only",
    done: "SQLite refuses each write as to a database that can only be read",
    broken: ({ server }) => ({
      reason: /can only be read/,
      breakIt: () => {
        server.database.sqlite.exec("pragma query_only = on");
        return Promise.resolve(() =>
          Promise.resolve(server.database.sqlite.exec("pragma query_only = off"))
        );
      },
    }),
  },
  {
    id: "item 5, gone",
    done: "the data folder is moved away under the server and put back",
    broken: ({ dataDir }) => ({
      reason: /data folder is not there/,
      breakIt: async () => {
        await Deno.rename(dataDir, `${dataDir}.away`);
        return () => Deno.rename(`${dataDir}.away`, dataDir);
      },
    }),
  },
  {
    id: "item 5, replaced",
    done:
      "a copy is put in the place of the database while the server runs, then the database is put back",
    broken: ({ dataDir }) => ({
      reason: /were replaced while the server ran/,
      breakIt: async () => {
        const file = join(dataDir, "restic-manager.db");
        await Deno.rename(file, `${file}.ours`);
        await Deno.copyFile(`${file}.ours`, file);
        return () => Deno.rename(`${file}.ours`, file);
      },
    }),
  },
];

for (const { id, done, broken } of WAYS) {
  fault({
    id,
    promise: "a storage that cannot write says so, and recovers by itself",
    done,
    expected: EXPECTED,
  }, async (see) => {
    await using test = await startServer();
    const host = await busyHost(test, "alpha");
    await breakAndMend(test, host, broken(test), see);
    await host.agent.close();
  });
}
