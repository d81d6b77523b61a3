import assert from "node:assert/strict";
import { join } from "node:path";
import type { NewReport } from "../../shared/protocol.ts";
import { eventually } from "../support/eventually.ts";
import { FakeRestic, LISTED, SUMMARY } from "../support/fake_restic.ts";
import { jobId } from "../support/start_agent.ts";
import { RealPair } from "../support/real_pair.ts";
import { fault } from "../support/trial.ts";

const LINES = [{ at: 1, stream: "stdout", text: "a line" }];
/** Reports that no server takes. */
const POISON: Record<string, () => Promise<unknown> | unknown> = {
  "without its number": () => ({ type: "log.stream", job_id: jobId(), lines: LINES }),
  "with a status of tomorrow": () => ({
    type: "job.finished",
    job_id: jobId(),
    at: 1,
    status: "rather_good",
    exit_code: 0,
    reason: null,
    reason_code: null,
    warnings: 0,
    summary: null,
  }),
};

for (const [what, make] of Object.entries(POISON)) {
  fault({
    id: `item 9, a report ${what}`,
    promise: "one report that the server never takes keeps neither the host nor the others away",
    done: `the journal holds a report ${what} between two backups`,
    expected:
      "it is given up after three tries, kept in a file and named as a problem; the backup behind it is there",
  }, async (see) => {
    await using pair = await RealPair.start();
    const restic = new FakeRestic(pair.folder, { verbs: { backup: SUMMARY, snapshots: LISTED } });
    const host = await pair.join("alpha", {
      restic: restic.path,
      repository: { url: "/srv/fault", is_new: false },
      paths: ["/etc"],
    });
    assert.equal((await pair.backup(host)).status, "succeeded");
    host.agent.journal.append(await make() as NewReport);
    await eventually("it is given up", () => host.agent.state.problems.list.length > 0, 30_000);
    const [problem] = host.agent.state.problems.list;
    assert.match(problem!.text, /does not take a report/);
    see(problem!.text.replace(pair.folder, "…"));
    await eventually(
      "it is back",
      async () => (await pair.api("GET", `/api/hosts/${host.hostId}`)).online,
    );
    assert.equal((await pair.backup(host)).status, "succeeded");
    const kept = Deno.readTextFileSync(
      join(pair.folder, "alpha", "state", "journal", "refused.jsonl"),
    );
    assert.equal(kept.trim().split("\n").length, 1);
    const audit = await pair.api("GET", "/api/audit?action=agent.bad_frame&limit=100");
    see(`${audit.items.length} refusals in the audit`);
    assert.equal(audit.items.length, 3);
  });
}
