import { JobRow } from "../../../templates/jobs/list.tsx";
import { getJob } from "../../jobs/find.ts";
import type { Server } from "../../server.ts";
import { NOTHING } from "../live.ts";
import { oncePerJob } from "../shared_fragments.ts";
import { fragmentBytes } from "../sse.ts";

/** Takes the ids out of the set and reads their jobs. */
export function jobRows(
  server: Server,
  ids: Set<string>,
  isOfHost: boolean,
): Promise<Uint8Array>[] {
  const taken = [...ids];
  ids.clear();
  return taken.map((id) =>
    oncePerJob(server, { jobId: id, key: `row ${isOfHost}` }, async () => {
      const found = await getJob(server, id).catch(() => null);
      return found ? fragmentBytes(JobRow({ job: found, now: server.now(), isOfHost })) : NOTHING;
    })
  );
}
