import { answerResticId, ResticIdAnswer } from "../../repositories/answer_id.ts";
import { changeRepository } from "../../repositories/change.ts";
import { createRepository } from "../../repositories/create.ts";
import { ChangedRepository, NewRepository } from "../../repositories/fields.ts";
import { getRepository, listRepositories } from "../../repositories/find.ts";
import { removeRepository } from "../../repositories/remove.ts";
import { pathId, readJson, readPage } from "../body.ts";
import { actorOf } from "../context.ts";
import { withIsoTimes } from "./shapes.ts";
import { type ApiRoute, apiRoute } from "./route.ts";
import { listOf } from "../../../shared/shapes/list.ts";
import {
  ChangedRepository as ChangedShape,
  CreatedRepository,
  Repository,
} from "../../../shared/shapes/repository.ts";

export const repositoryRoutes: ApiRoute[] = [
  apiRoute({
    method: "GET",
    path: "/api/repositories",
    role: "operator",
    summary: "All repositories; secrets are never shown",
    query: ["limit", "cursor"],
    response: { 200: listOf(Repository) },
    handler: async (server, c) => withIsoTimes(await listRepositories(server, readPage(c))),
  }),
  apiRoute({
    method: "POST",
    path: "/api/repositories",
    role: "operator",
    summary:
      "Adds a repository; without a password a strong one is made and shown in this answer alone",
    body: NewRepository,
    response: { 201: CreatedRepository },
    handler: async (server, c) => {
      const made = await createRepository(server, actorOf(c), await readJson(c, NewRepository));
      const shown = withIsoTimes(await getRepository(server, made.id));
      const password = made.generatedPassword;
      const { warnings } = made;
      return {
        ...shown,
        warnings,
        ...(password ? { repository_password: password } : {}),
      };
    },
  }),
  apiRoute({
    method: "GET",
    path: "/api/repositories/:id",
    role: "operator",
    summary: "One repository",
    response: { 200: Repository },
    handler: async (server, c) => withIsoTimes(await getRepository(server, pathId(c, "id"))),
  }),
  apiRoute({
    method: "PUT",
    path: "/api/repositories/:id",
    role: "operator",
    summary: "Changes a repository; secrets that are left out stay as they are",
    body: ChangedRepository,
    response: { 200: ChangedShape },
    handler: async (server, c) => {
      const id = pathId(c, "id");
      const input = await readJson(c, ChangedRepository);
      const warnings = await changeRepository(server, actorOf(c), id, input);
      return { ...withIsoTimes(await getRepository(server, id)), warnings };
    },
  }),
  apiRoute({
    method: "POST",
    path: "/api/repositories/:id/restic-id",
    role: "admin",
    summary:
      "Says which id is right after a host found another repository than before: the stored one or the other",
    body: ResticIdAnswer,
    response: { 200: Repository },
    handler: async (server, c) => {
      const id = pathId(c, "id");
      await answerResticId(server, actorOf(c), id, await readJson(c, ResticIdAnswer));
      return withIsoTimes(await getRepository(server, id));
    },
  }),
  apiRoute({
    method: "DELETE",
    path: "/api/repositories/:id",
    role: "operator",
    summary: "Forgets how to reach a repository that no host uses; what is in it stays",
    response: { 204: null },
    handler: async (server, c) => {
      await removeRepository(server, actorOf(c), pathId(c, "id"));
    },
  }),
];
