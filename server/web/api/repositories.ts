import { answerResticId, ResticIdAnswer } from "../../repositories/answer_id.ts";
import { changeRepository } from "../../repositories/change.ts";
import { createRepository } from "../../repositories/create.ts";
import { ChangedRepository, NewRepository } from "../../repositories/fields.ts";
import { getRepository, listRepositories } from "../../repositories/find.ts";
import { removeRepository } from "../../repositories/remove.ts";
import { pathId, readJson, readPage } from "../body.ts";
import { actorOf } from "../context.ts";
import { withIsoTimes } from "./shapes.ts";
import type { ApiRoute } from "./route.ts";

export const repositoryRoutes: ApiRoute[] = [
  {
    method: "GET",
    path: "/api/repositories",
    role: "operator",
    summary: "All repositories; secrets are never shown",
    query: ["limit", "cursor"],
    handler: async (server, c) =>
      c.json(withIsoTimes(await listRepositories(server, readPage(c))) as object),
  },
  {
    method: "POST",
    path: "/api/repositories",
    role: "operator",
    summary:
      "Adds a repository; without a password a strong one is made and shown in this answer alone",
    body: NewRepository,
    answers: 201,
    handler: async (server, c) => {
      const made = await createRepository(server, actorOf(c), await readJson(c, NewRepository));
      const shown = withIsoTimes(await getRepository(server, made.id)) as object;
      const password = made.generatedPassword;
      const { warnings } = made;
      const created = {
        ...shown,
        warnings,
        ...(password ? { repository_password: password } : {}),
      };
      return c.json(created, 201);
    },
  },
  {
    method: "GET",
    path: "/api/repositories/:id",
    role: "operator",
    summary: "One repository",
    handler: async (server, c) =>
      c.json(withIsoTimes(await getRepository(server, pathId(c, "id"))) as object),
  },
  {
    method: "PUT",
    path: "/api/repositories/:id",
    role: "operator",
    summary: "Changes a repository; secrets that are left out stay as they are",
    body: ChangedRepository,
    handler: async (server, c) => {
      const id = pathId(c, "id");
      const input = await readJson(c, ChangedRepository);
      const warnings = await changeRepository(server, actorOf(c), id, input);
      return c.json({ ...withIsoTimes(await getRepository(server, id)) as object, warnings });
    },
  },
  {
    method: "POST",
    path: "/api/repositories/:id/restic-id",
    role: "admin",
    summary:
      "Says which id is right after a host found another repository than before: the stored one or the other",
    body: ResticIdAnswer,
    handler: async (server, c) => {
      const id = pathId(c, "id");
      await answerResticId(server, actorOf(c), id, await readJson(c, ResticIdAnswer));
      return c.json(withIsoTimes(await getRepository(server, id)) as object);
    },
  },
  {
    method: "DELETE",
    path: "/api/repositories/:id",
    role: "operator",
    summary: "Forgets how to reach a repository that no host uses; what is in it stays",
    answers: 204,
    handler: async (server, c) => {
      await removeRepository(server, actorOf(c), pathId(c, "id"));
      return c.body(null, 204);
    },
  },
];
