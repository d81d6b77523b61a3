import { z } from "zod";
import { refuseDoubted } from "../hosts/instances.ts";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import { dispatchJobs } from "./dispatch.ts";
import { insertJob } from "./insert.ts";

export const ReinitialiseWish = z.strictObject({
  confirm_hostname: z.string("must be the name of the host").max(
    200,
    "must be the name of the host",
  ),
});

/**
 * Makes a new repository where the old one was cleared by hand. Nothing is ever wiped: the agent and restic both refuse
 * to touch one that is there. Throws name_mismatch unless the host's name was typed.
 */
export async function reinitialise(
  server: Server,
  actor: Actor,
  hostId: string,
  confirmHostname: string,
): Promise<string> {
  const jobId = await server.db.transaction().execute(async (tx) => {
    const host = await tx.selectFrom("hosts").select(["name", "repository_id", "doubted_since"])
      .where("id", "=", hostId).executeTakeFirst();
    if (!host) throw new AppError("not_found", "There is no such host.");
    if (confirmHostname !== host.name) {
      throw new AppError(
        "name_mismatch",
        "confirm_hostname must be the name of the host, exactly.",
        "confirm_hostname",
      );
    }
    if (!server.agents.isOnline(hostId)) {
      throw new AppError("agent_offline", `${host.name} is offline; nothing was started.`);
    }
    refuseDoubted(host);
    const wish = { kind: "init" as const };
    return await insertJob(server, tx, actor, {
      hostId,
      host,
      wish,
      group: null,
      request: { reinit: true },
    });
  });
  await dispatchJobs(server, hostId);
  server.events.publish({ type: "job", jobId, hostId, status: "queued" });
  return jobId;
}
