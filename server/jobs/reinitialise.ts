import { z } from "zod";
import { AppError } from "../errors.ts";
import type { Actor, Server } from "../server.ts";
import { insertJob } from "./insert.ts";
import { startOnHost } from "./start.ts";

export const ReinitialiseInput = z.strictObject({
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
  const check = ({ name }: { name: string }) => {
    if (confirmHostname === name) return;
    throw new AppError(
      "name_mismatch",
      "confirm_hostname must be the name of the host, exactly.",
      "confirm_hostname",
    );
  };
  const request = { reinit: true };
  const [id] = await startOnHost(server, hostId, async (tx, host) => [
    await insertJob(server, tx, actor, { hostId, host, kind: "init", request }),
  ], check);
  return id!;
}
