import { createEnrolmentToken, EnrolmentWish, joinCommands } from "../../enrolment/create_token.ts";
import { enrol, Enrolment } from "../../enrolment/enrol.ts";
import { readJson } from "../body.ts";
import { actorOf } from "../context.ts";
import type { ApiRoute } from "./routes.ts";

export const enrolmentRoutes: ApiRoute[] = [
  {
    method: "POST",
    path: "/api/enrollment-tokens",
    role: "operator",
    summary: "Makes the one-time token with which a machine joins, and the commands to run there",
    body: EnrolmentWish,
    answers: 201,
    handler: async (server, c) => {
      const made = await createEnrolmentToken(server, actorOf(c), await readJson(c, EnrolmentWish));
      return c.json({
        id: made.id,
        token: made.token,
        expires_at: new Date(made.expires_at).toISOString(),
        repository_id: made.repository_id,
        warnings: made.warnings,
        commands: joinCommands(c.get("baseUrl"), made.token),
        ...(made.repository_password ? { repository_password: made.repository_password } : {}),
      }, 201);
    },
  },
  {
    method: "POST",
    path: "/api/agents/enroll",
    role: "public",
    summary: "What an agent calls with its token: makes the host and answers its bearer",
    body: Enrolment,
    handler: async (server, c) =>
      c.json(await enrol(server, c.get("address"), await readJson(c, Enrolment))),
  },
];
