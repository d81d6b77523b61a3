import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { SUMMARY } from "../support/fake_restic.ts";
import { fakeHost } from "../support/one_host_fleet.ts";
import { sevenOracles } from "../support/oracles.ts";
import { fault } from "../support/trial.ts";

fault({
  id: "F13",
  promise: "what ended while the server was away is told later, although the agent died meanwhile",
  done: "the server is killed, the backup ends, the agent is killed, both are started again",
  expected: "the job succeeded with all its lines; restic was started once",
}, async (see) => {
  await using all = await fakeHost((go) =>
    `while [ ! -e '${go}' ]; do sleep 0.05; done; echo done; ${SUMMARY}`
  );
  const { fleet } = all;
  const job = await fleet.run(all.hostId);
  await all.running(job);
  await fleet.server.end("SIGKILL");
  await Deno.writeTextFile(all.go, "");
  await eventually("the end is in the agent's journal", async () => {
    const journal = join(fleet.folder, "alpha", "state", "journal");
    for await (const file of Deno.readDir(journal)) {
      const text = await Deno.readTextFile(join(journal, file.name));
      if (text.split("\n").some((line) => line.includes("job.finished") && line.includes(job))) {
        return true;
      }
    }
  });
  // What it has to tell is on its disk.
  await fleet.agent("alpha").end("SIGKILL");
  await fleet.startServer();
  fleet.startAgent("alpha", all.env);
  await fleet.jobIs(job, "succeeded");
  assert.ok((await fleet.lines(job)).some((line) => line.text === "done"));
  see("succeeded, with the line that was printed while the server was away");
  await sevenOracles(all.evidence(), see);
});
