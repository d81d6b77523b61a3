// Every order is held against the brake of the machine's owner before anything of it is run, and once more after its pre hook.
import { FILE_NAMES } from "../../shared/repository_environment.ts";
import { REFUSED_BY_MACHINE } from "../../shared/job.ts";
import type { ConfigUpdate } from "../../shared/protocol.ts";
import { parseRepositoryUrl } from "../../shared/repository_url.ts";
import type { Agent } from "../agent.ts";
import { failed, type Outcome } from "../restic/outcome.ts";
import { agentFilePath } from "../settings.ts";
import type { Brake } from "./brake.ts";
import { PLACE_NAMES, readGlob } from "./repository_glob.ts";
import { isWithin } from "./roots.ts";
import type { RepositoryAccess } from "../../shared/repository_access.ts";
import type { Hooks } from "../../shared/hook_order.ts";
import { KINDS } from "../../shared/job_kinds/all.ts";
import { pathsWritten } from "../restore/place.ts";
import { adminAccessIn, groupOf, type Order, readerAccessIn, restoreOf } from "../jobs/order.ts";

type Braked = Pick<Agent, "brake" | "settings" | "log">;

/** How an order ends that the owner does not allow; undefined when he allows it. Says so in the agent's log. */
export function refusedByOwner(
  agent: Braked,
  order: Order,
  config: ConfigUpdate | undefined,
): Outcome | undefined {
  const why = hooksRefusal(agent.brake, order) ?? repositoryRefusal(agent, order, config) ??
    pathsRefusal(agent.brake, order) ?? targetRefusal(agent.brake, order);
  if (!why) return undefined;
  const where = agentFilePath(agent.settings.configDir);
  const reason = `Refused by the owner of this machine, in ${where} there: ${why}.`;
  agent.log.warn(`Job ${order.job_id} (${order.kind}): ${reason}`);
  return failed(REFUSED_BY_MACHINE, reason, null);
}

function hooksRefusal({ allowHooks }: Brake, order: Order): string | undefined {
  if (allowHooks) return undefined;
  if ("hook" in order) return "hooks are not allowed (allow_hooks: false)";
  const hooks = groupOf(order)?.hooks;
  const name = hooks && firstHook(hooks);
  return name
    ? `hooks are not allowed (allow_hooks: false), and without its ${name} this backup would not be what it is meant to be`
    : undefined;
}

function firstHook(hooks: Hooks): string | undefined {
  return hooks.pre_hook !== undefined
    ? "pre_hook"
    : hooks.post_hook !== undefined
    ? "post_hook"
    : hooks.cannot_decrypt;
}

function repositoryRefusal(
  { brake, settings }: Braked,
  order: Order,
  config: ConfigUpdate | undefined,
): string | undefined {
  // A hook that is tried reaches no repository.
  if (!KINDS[order.kind].usesRepository) return undefined;
  for (const access of [config?.repository, adminAccessIn(order), readerAccessIn(order)]) {
    const why = access && accessRefusal({ brake, settings }, access);
    if (why) return why;
  }
  return undefined;
}

/** Why a repository may not be reached from here, as part of a sentence; undefined when it may. */
export function accessRefusal(
  { brake, settings }: Pick<Agent, "brake" | "settings">,
  access: RepositoryAccess,
): string | undefined {
  return addressRefusal(brake, access) ?? filesRefusal(brake, settings.configDir, access);
}

function addressRefusal({ repositories }: Brake, access: RepositoryAccess): string | undefined {
  if (!repositories) return undefined;
  let url;
  try {
    url = parseRepositoryUrl(access.url);
  } catch {
    return "the repository's address cannot be read, so it is none of the repositories that are allowed";
  }
  const globs = repositories.map(readGlob);
  const places = (PLACE_NAMES[url.backend] ?? []).flatMap((name) => {
    const value = access.environment[name];
    return value ? [`${name}=${value}`] : [];
  });
  const outside = [url.normalised, ...places].find((text) =>
    !globs.some((glob) => glob.test(text))
  );
  return outside === undefined
    ? undefined
    : `${outside} is none of the repositories that are allowed (repositories: ${
      repositories.join(", ") || "none"
    })`;
}

/** Files that the access names are read by restic as root, and what is in them goes to the storage. */
function filesRefusal(
  { roots }: Brake,
  configDir: string,
  { environment }: RepositoryAccess,
): string | undefined {
  if (!roots) return undefined;
  const name = FILE_NAMES.find((each) => {
    const path = environment[each];
    return path !== undefined && !isWithin(path, [...roots, configDir]);
  });
  return name &&
    `${name}: ${environment[name]} lies outside of the folders that are allowed (${listed(roots)})`;
}

function pathsRefusal({ roots }: Brake, order: Order): string | undefined {
  if (!roots) return undefined;
  const outside = groupOf(order)?.includes.find((path) => !isWithin(path, roots));
  return outside === undefined
    ? undefined
    : `${outside} lies outside of the folders that are allowed, with links resolved (${
      listed(roots)
    })`;
}

function targetRefusal(brake: Brake, order: Order): string | undefined {
  const asked = restoreOf(order);
  if (!asked) return undefined;
  const isInPlace = asked.target.kind === "original";
  // A dry run in place writes over nothing; where it looks the roots say.
  const held = asked.dry_run ? { ...brake, allowRestoreInPlace: true } : brake;
  return restoreRefusal(held, { isInPlace, paths: pathsWritten(asked) });
}

/** What a restore is asked to write. */
export interface RestoreTarget {
  /** Where the files were when they were backed up, over what is there now. */
  isInPlace: boolean;
  /** Everything that would be written: the folder, or in place each path. */
  paths: string[];
}

/** Why a restore is not allowed, as part of a sentence; undefined when it is. Whatever restores asks this first. */
export function restoreRefusal(brake: Brake, target: RestoreTarget): string | undefined {
  if (target.isInPlace && !brake.allowRestoreInPlace) {
    return "restoring in place is not allowed (allow_restore_in_place: false)";
  }
  const { roots } = brake;
  const outside = roots && target.paths.find((path) => !isWithin(path, roots));
  return outside
    ? `${outside} lies outside of the folders that are allowed, with links resolved (${
      listed(roots)
    })`
    : undefined;
}

function listed(roots: string[]): string {
  return `roots: ${roots.join(", ") || "none"}`;
}
