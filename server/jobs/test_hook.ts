import { z } from "zod";
import { id } from "../../shared/fields.ts";
import { HOOK_NAMES } from "../../shared/hooks.ts";
import { refuseDoubted } from "../hosts/instances.ts";
import { AppError } from "../errors.ts";
import { insertJob } from "./insert.ts";
import { dispatchStarted } from "./start.ts";
import type { Actor, Server } from "../server.ts";
import { hookInForce } from "../hooks/resolve.ts";

export const TestHookInput = z.strictObject({
  hook: z.enum(HOOK_NAMES, { error: `must be ${HOOK_NAMES.join(" or ")}` }),
  /** The hook in force for this group; without it the host's default one. */
  source_group_id: id.nullable().optional(),
});
export type TestHookInput = z.infer<typeof TestHookInput>;

/** What the job keeps of it. */
export const TestedHook = z.object({ hook: z.enum(HOOK_NAMES) });

/** Runs a saved hook alone, as a job. Throws agent_offline, and conflict when there is no such hook. */
export async function testHook(
  server: Server,
  actor: Actor,
  hostId: string,
  input: TestHookInput,
): Promise<string> {
  const jobId = await server.db.transaction().execute(async (tx) => {
    const host = await tx.selectFrom("hosts").selectAll().where("id", "=", hostId)
      .executeTakeFirst();
    if (!host) throw new AppError("not_found", "There is no such host.");
    const group = input.source_group_id
      ? await tx.selectFrom("source_groups").selectAll().where("id", "=", input.source_group_id)
        .where("host_id", "=", hostId).executeTakeFirst()
      : null;
    if (group === undefined) {
      const sentence = "source_group_id must be a source group of this host.";
      throw new AppError("invalid", sentence, "source_group_id");
    }
    if (!await hookInForce(server, host, group, input.hook)) {
      throw new AppError("conflict", `There is no ${input.hook} to run; save one first.`, "hook");
    }
    if (!server.agents.isOnline(hostId)) {
      throw new AppError("agent_offline", `${host.name} is offline; nothing was started.`);
    }
    refuseDoubted(host);
    return await insertJob(server, tx, actor, {
      hostId,
      host,
      kind: "hook",
      group,
      request: { hook: input.hook } satisfies z.infer<typeof TestedHook>,
    });
  });
  await dispatchStarted(server, hostId, [jobId]);
  return jobId;
}
