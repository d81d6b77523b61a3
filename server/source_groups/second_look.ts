// What is accepted and yet probably not meant: said when a group is saved, and wherever it is shown.
import { liesBeside, liesIn } from "../../shared/exclude_pattern.ts";
import { keepsByCountAlone, type Retention } from "../../shared/retention.ts";
import type { Server } from "../server.ts";

interface Surroundings {
  os: string;
  repositoryUrl: string;
  isAppendOnly: boolean;
}

interface Looked {
  includes: string[];
  excludes: string[];
  iexcludes: string[];
  retention: Retention;
}

/** Where an agent keeps its state unless it is told otherwise (agent/settings.ts). */
const STATE = { linux: "/var/lib/restic-manager", windows: "C:\\ProgramData\\restic-manager" };

export async function surroundingsOf({ db }: Server, hostId: string): Promise<Surroundings> {
  const row = await db.selectFrom("hosts")
    .innerJoin("repositories", "repositories.id", "hosts.repository_id")
    .select(["os", "url", "append_only"]).where("hosts.id", "=", hostId).executeTakeFirst();
  return {
    os: row?.os ?? "linux",
    repositoryUrl: row?.url ?? "",
    isAppendOnly: row?.append_only === 1,
  };
}

/** Sentences; empty when nothing stands out. */
export function secondLook(group: Looked, around: Surroundings): string[] {
  return [
    ...patternWords(group, around),
    ...placeWords(group, around),
    ...policyWords(group, around),
  ]
    .slice(0, 20);
}

function* patternWords(group: Looked, { os }: Surroundings): Generator<string> {
  if (group.includes.length === 0) return;
  for (const pattern of [...group.excludes, ...group.iexcludes]) {
    if (/^(~|\$|%\w+%)/.test(pattern)) {
      yield `The exclude pattern ${pattern} matches nothing: restic expands neither ~ nor variables.`;
    } else if (liesBeside(pattern, group.includes, os)) {
      yield `The exclude pattern ${pattern} can match nothing: it lies in none of the paths to back up.`;
    }
  }
}

function* placeWords(group: Looked, { os, repositoryUrl }: Surroundings): Generator<string> {
  const { includes, excludes } = group;
  const isSaved = (path: string) => liesIn(path, includes, os) && !liesIn(path, excludes, os);
  if (isSaved(repositoryUrl)) {
    yield `The paths hold the repository itself (${repositoryUrl}): each backup would back up the ones before. Exclude it.`;
  }
  const state = os === "windows" ? STATE.windows : STATE.linux;
  if (isSaved(state)) {
    yield `The paths hold the agent's own state (${state}) with restic's cache and this host's keys. Exclude it.`;
  }
}

function* policyWords({ retention }: Looked, { isAppendOnly }: Surroundings): Generator<string> {
  if (isAppendOnly && keepsByCountAlone(retention)) {
    yield "This policy counts snapshots alone: a stolen machine that runs backups often enough pushes the good ones out. Keep daily or weekly ones too.";
  }
}
