// From a credential of a repository to all that restic needs to open it, or why it is not opened from this host.
import { join } from "node:path";
import type { BandwidthLimits } from "../../shared/bandwidth.ts";
import { firstProblem } from "../../shared/fields.ts";
import { RepositoryOptions } from "../../shared/repository_options.ts";
import { parseRepositoryUrl, type RepositoryUrl } from "../../shared/repository_url.ts";
import type { Agent } from "../agent.ts";
import { messageOf } from "../../shared/log.ts";
import { authorityFile, untrustedFile } from "./access_files.ts";
import type { ResticContext } from "./context.ts";
import { buildEnvironment } from "./environment.ts";
import { failed, type Outcome } from "./outcome.ts";
import type { ResticProgram } from "./version.ts";
import type { RepositoryAccess } from "../../shared/repository_access.ts";

export interface Wanted {
  program: ResticProgram;
  /** undefined where this host has none for the repository. */
  repository: RepositoryAccess | undefined;
  snapshotHost: string | undefined;
  /** The normalised address that a job holds the lease of: another one is not opened. */
  leasedUrl?: string | undefined;
  limits: BandwidthLimits;
  /** In the environment of all that it starts, so that what outlives it is found. */
  mark: Record<string, string>;
}

/** Returns what restic is run with, or the outcome of whatever wanted to: no credential, or one that is refused on this host. */
export function prepareRestic(
  agent: Pick<Agent, "settings" | "state" | "environment" | "timeouts">,
  { program, repository, snapshotHost, leasedUrl, limits, mark }: Wanted,
): ResticContext | Outcome {
  if (snapshotHost === undefined || !repository) {
    const reason = "This host has no credential for that repository.";
    return failed("no_credential", reason, null);
  }
  const url = readUrl(repository.url);
  if (typeof url === "string") return failed("bad_url", url, null);
  if (leasedUrl && leasedUrl !== url.normalised) {
    const reason =
      "The repository's address was changed after this job was ordered; it was not run.";
    return failed("address_changed", reason, null);
  }
  const options = RepositoryOptions.safeParse(repository.options ?? {});
  if (!options.success) {
    const why = firstProblem(options.error).message;
    const reason = `The repository's options were refused on this host: ${why}`;
    return failed("bad_options", reason, null);
  }
  const untrusted = untrustedFile(repository);
  if (untrusted) return failed("untrusted_file", untrusted, null);
  const authority = authorityFile(agent.state, repository);
  const cacheDir = join(agent.settings.stateDir, "cache", repository.id);
  return {
    restic: program,
    repository,
    url,
    snapshotHost,
    limits,
    environment: {
      ...buildEnvironment({
        repository,
        url,
        version: program.version,
        cacheDir,
        authorityFile: authority,
        own: agent.environment,
      }),
      ...mark,
    },
    cacheDir,
    globals: globalArguments(options.data, authority),
    timeouts: agent.timeouts,
  };
}

/** What goes with every command: whom restic trusts, and its extended options. */
function globalArguments(options: RepositoryOptions, authority: string | undefined): string[] {
  return [
    ...(authority ? [`--cacert=${authority}`] : []),
    ...Object.entries(options).map(([name, value]) => `--option=${name}=${value}`),
  ];
}

/** A stolen server must not make this host run a program by a repository's address. */
function readUrl(text: string): RepositoryUrl | string {
  try {
    return parseRepositoryUrl(text);
  } catch (error) {
    return `The repository's address was refused on this host: it ${messageOf(error)}.`;
  }
}
