// The choice of a repository in a form: one that exists, or a new one.
import type { RepositoryChoiceValues } from "../../../templates/repositories/choice.tsx";
import { listRepositories, someRepositories } from "../../repositories/find.ts";
import type { Server } from "../../server.ts";
import type { Ctx } from "../context.ts";
import type { Form } from "./form.ts";
import { isAdmin } from "./page.ts";
import { connectionInput, connectionValues } from "./connection_form.ts";

/** The fields of templates/repositories/choice.tsx, as a body of the API has them. */
export function choiceInput(form: Form) {
  return form.text("repository_choice") === "existing"
    ? { repository_id: form.text("repository_id") || null }
    : { repository: connectionInput(form, "repository.") };
}

/** The same fields, as they were typed. */
export function typedChoice(form: Form): RepositoryChoiceValues {
  return {
    repository_choice: form.text("repository_choice") === "existing" ? "existing" : "new",
    repository_id: form.text("repository_id"),
    repository: connectionValues(form, "repository."),
  };
}

/** For a choice: the first few hundred by name; for operators those that are open to them, and of `also` all. */
export async function repositoryChoices(server: Server, c: Ctx, also: string[] = []) {
  const { items } = await listRepositories(server, {
    limit: 200,
    cursor: null,
    isOpen: !isAdmin(c),
  });
  const missing = also.filter((id) => !items.some((each) => each.id === id));
  return [...items, ...await someRepositories(server, missing)];
}
