import { createEnrolmentToken, EnrolmentInput } from "../../enrolment/create_token.ts";
import { enrol, Enrolment } from "../../enrolment/enrol.ts";
import { joinCommands } from "../../enrolment/join_commands.ts";
import { createRejoinToken } from "../../enrolment/rejoin_token.ts";
import { pathId, readJson } from "../body.ts";
import { actorOf } from "../context.ts";
import { type ApiRoute, apiRoute } from "./route.ts";
import { Enrolled, EnrolmentToken, JoinToken } from "../../../shared/shapes/enrolment.ts";

export const enrolmentRoutes: ApiRoute[] = [
  apiRoute({
    method: "POST",
    path: "/api/enrollment-tokens",
    role: "operator",
    summary:
      "Makes the one-time token with which a machine joins, and the commands to run there; replace_open withdraws one for this name that is still open",
    body: EnrolmentInput,
    response: { 201: EnrolmentToken },
    handler: async (server, c) => {
      const made = await createEnrolmentToken(
        server,
        actorOf(c),
        await readJson(c, EnrolmentInput),
      );
      return {
        id: made.id,
        token: made.token,
        expires_at: new Date(made.expires_at).toISOString(),
        repository_id: made.repository_id,
        warnings: made.warnings,
        commands: joinCommands(c.get("baseUrl"), made.token),
        ...(made.repository_password ? { repository_password: made.repository_password } : {}),
      };
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/hosts/:id/rejoin-token",
    role: "admin",
    summary:
      "Makes the one-time token with which a reinstalled machine takes this host back; its schedules and retention are then on hold until it is resumed",
    response: { 201: JoinToken },
    handler: async (server, c) => {
      const made = await createRejoinToken(server, actorOf(c), pathId(c, "id"));
      return {
        token: made.token,
        expires_at: new Date(made.expires_at).toISOString(),
        commands: joinCommands(c.get("baseUrl"), made.token),
      };
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/agents/enroll",
    role: "public",
    summary:
      "What an agent calls with its token: makes the host, or takes one back, and answers its bearer",
    body: Enrolment,
    response: { 200: Enrolled },
    handler: async (server, c) =>
      await enrol(server, c.get("address"), await readJson(c, Enrolment)),
  }),
];
