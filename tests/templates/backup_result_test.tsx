import assert from "node:assert/strict";
import { backup } from "../../templates/jobs/kinds/backup.tsx";
import type { JobView } from "../../templates/jobs/view.ts";

const summary = {
  snapshot_id: "1a2b3c4d".repeat(8),
  files_new: 1,
  files_changed: 2,
  files_unmodified: 3,
  bytes_added: 4,
  bytes_processed: 5,
  seconds: 6,
};

Deno.test("a backup's page leads to what changed in it, for those who may open its snapshot", () => {
  const { Result } = backup;
  const show = (mayRun: boolean, snapshot_id: string | null = summary.snapshot_id) => {
    const job = { summary: { ...summary, snapshot_id }, repository_id: "r 1" };
    return `${Result!({ job: job as unknown as JobView, mayRun })}`;
  };
  assert.match(show(true), /href="\/snapshots\/1a2b3c4d1a2b3c4d\/diff\?repository=r\+1"/);
  assert.ok(!show(false).includes("/diff"));
  assert.ok(!show(true, null).includes("/diff"));
});
