// Hosts with a month of backups, written straight into a server's database.
import { newId } from "../../shared/new_id.ts";
import { randomSecret, sha256 } from "../../server/random.ts";
import { createRepository } from "../../server/repositories/create.ts";
import { type Server, SYSTEM } from "../../server/server.ts";

const DAY = 86_400_000;

export interface SimulatedHost {
  id: string;
  bearer: string;
  /** A backup that is running. */
  jobId?: string;
}

/** Hosts that share one repository and were backed up for a month; the first `running` are in the middle of a backup. */
export async function insertHosts(
  server: Server,
  count: number,
  running: number,
): Promise<SimulatedHost[]> {
  const repository = await createRepository(server, SYSTEM, {
    name: "bench",
    url: "/srv/bench",
    password: "a password",
    is_new: false,
  });
  const hosts: SimulatedHost[] = [];
  await server.db.transaction().execute(async (tx) => {
    for (let n = 1; n <= count; n++) {
      const [id, jobId, bearer, now] = [newId(), newId(), randomSecret(), Date.now()];
      const name = `host-${String(n).padStart(4, "0")}.example.org`;
      const isRunning = n <= running;
      const last = now - 3_600_000 - n * 1000;
      await tx.insertInto("hosts").values({
        id,
        name,
        snapshot_host: name,
        bearer_hash: sha256(bearer),
        tags: JSON.stringify(n % 2 ? ["linux", "web"] : ["linux"]),
        time_zone: "UTC",
        repository_id: repository.id,
        repository_ready_at: now - 40 * DAY,
        plan_version: 1,
        applied_plan_version: 1,
        hostname: name,
        os: "linux",
        arch: "x86_64",
        agent_version: "0.1.0",
        restic_version: "0.18.0",
        last_seen_at: now,
        last_backup_job_id: jobId,
        last_backup_at: last,
        last_backup_status: "succeeded",
        last_backup_warnings: 0,
        last_success_at: last,
        snapshots_count: 30,
        snapshots_refreshed_at: last,
        created_at: now - 40 * DAY,
      }).execute();
      await tx.insertInto("jobs").values({
        id: jobId,
        host_id: id,
        repository_id: repository.id,
        kind: "backup",
        status: isRunning ? "running" : "succeeded",
        actor_kind: "user",
        actor_name: "alice",
        source_group_name: "default",
        created_at: last,
        dispatched_at: last,
        started_at: last,
        finished_at: isRunning ? null : last,
        warnings: 0,
      }).execute();
      await tx.insertInto("backup_days").values(monthOf(id, n)).execute();
      hosts.push({ id, bearer, ...(isRunning ? { jobId } : {}) });
    }
  });
  return hosts;
}

/** A failure now and then, on other days for each host. */
function monthOf(hostId: string, n: number) {
  const today = Math.floor(Date.now() / DAY);
  return Array.from({ length: 30 }, (_, day) => ({
    host_id: hostId,
    day: today - day,
    succeeded: (n + day) % 9 ? 1 : 0,
    warned: 0,
    failed: (n + day) % 9 ? 0 : 1,
  }));
}
