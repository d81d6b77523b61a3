// The page of a repository.
import { RepositoryPage, type RepositoryPageProps } from "../../../templates/repositories/page.tsx";
import type { MaintenanceProps } from "../../../templates/repositories/maintenance.tsx";
import type { Server } from "../../server.ts";
import { pathId } from "../body.ts";
import type { Ctx } from "../context.ts";
import { frameOf, isAdmin, mayRun, show } from "./page.ts";
import { repositoryView } from "./repository_props.ts";
import { maintenanceProps } from "./maintenance_props.ts";
import { ungovernedProps } from "./ungoverned_props.ts";

export async function showRepository(
  server: Server,
  c: Ctx,
  changes: Partial<RepositoryPageProps> = {},
  { id = pathId(c, "id"), status = 200 } = {},
): Promise<Response> {
  const repository = await repositoryView(server, id);
  const mayChange = isAdmin(c) || (mayRun(c) && repository.open_to_operators);
  return show(
    c,
    RepositoryPage({
      frame: await frameOf(server, c),
      repository,
      mayChange,
      mayDelete: mayChange,
      errors: {},
      mayAnswer: isAdmin(c),
      maintenance: await maintenanceProps(server, c, id),
      ungoverned: await ungovernedProps(server, c, id),
      ...changes,
    }),
    status,
  );
}

/** The page again, with what was typed into one of its forms of maintenance and why it was refused. */
export async function showRefused(
  server: Server,
  c: Ctx,
  id: string,
  maintenance: Partial<MaintenanceProps>,
): Promise<Response> {
  const props = { ...await maintenanceProps(server, c, id), ...maintenance };
  return await showRepository(server, c, { maintenance: props }, { id, status: 422 });
}
