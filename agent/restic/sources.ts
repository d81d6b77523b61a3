// The paths of a source group before they are backed up: restic calls it a success when one is a link (it saves the link, not
// what it points to) or an empty folder where a disk should be.
import { join, normalize, parse } from "node:path";
import { fileSystemOf } from "../file_systems.ts";
import type {
  SourceGroupOrder,
  SourceProblem,
  SourceProblemKind,
} from "../../shared/job_kinds/backup.ts";

export interface LookedAt {
  /** Accepted ones too. */
  problems: SourceProblem[];
  /** Sentences for those that nobody has accepted. */
  sentences: string[];
  /** On which file system each path lies, as far as can be told. */
  fileSystems: Record<string, string>;
}

/** `before`: on which file systems the paths were at the last good backup. */
export async function lookAtSources(
  group: SourceGroupOrder,
  before: Record<string, string>,
): Promise<LookedAt> {
  const found: LookedAt = { problems: [], sentences: [], fileSystems: {} };
  for (const path of group.includes) {
    const problem = problemOf(path);
    const fileSystem = await fileSystemOf(path);
    if (fileSystem) found.fileSystems[path] = fileSystem;
    const other = fileSystem && before[path] && before[path] !== fileSystem
      ? otherFileSystem(path, before[path], fileSystem)
      : undefined;
    for (const each of [problem, other]) {
      if (!each) continue;
      found.problems.push({ path, problem: each.problem });
      if (!isAccepted(group, path, each.problem)) found.sentences.push(each.sentence);
    }
  }
  return found;
}

/** After the run: a disk that went away in its midst took what was on it out of the snapshot. */
export async function lookAgain(group: SourceGroupOrder, first: LookedAt): Promise<LookedAt> {
  const { problems } = await lookAtSources(group, first.fileSystems);
  const gone = problems.filter(({ path, problem }) =>
    problem === "other_file_system" &&
    !first.problems.some((each) => each.path === path && each.problem === problem)
  );
  const sentences = gone.filter(({ path, problem }) => !isAccepted(group, path, problem))
    .map(({ path }) => `the file system of ${path} went away or changed while it was read`);
  return {
    ...first,
    problems: [...first.problems, ...gone],
    sentences: [...first.sentences, ...sentences],
  };
}

export function isAccepted(
  group: SourceGroupOrder,
  path: string,
  problem: SourceProblemKind,
): boolean {
  return (group.accepted ?? []).some((each) => each.path === path && each.problem === problem);
}

interface Found {
  problem: SourceProblemKind;
  sentence: string;
}

function problemOf(path: string): Found | undefined {
  try {
    const info = Deno.lstatSync(asResticReads(path));
    if (info.isSymlink) return link(path);
    if (info.isDirectory && isEmpty(path)) {
      return { problem: "empty", sentence: `${path} is an empty folder` };
    }
    return undefined;
  } catch {
    // What is missing or cannot be read restic tells itself.
    return undefined;
  }
}

/** restic looks at the shortest spelling: "/link/" and "/link/." are the link. */
function asResticReads(path: string): string {
  const shortest = normalize(path);
  return shortest === parse(shortest).root ? shortest : shortest.replace(/[\\/]+$/, "");
}

function link(path: string): Found {
  let target = "";
  try {
    target = `; name ${join(Deno.realPathSync(path))} instead`;
  } catch {
    target = "; what it points to is not there";
  }
  return {
    problem: "link",
    sentence: `${path} is a link, and restic saves the link, not what it points to${target}`,
  };
}

function isEmpty(path: string): boolean {
  for (const _ of Deno.readDirSync(path)) return false;
  return true;
}

function otherFileSystem(path: string, was: string, is: string): Found {
  return {
    problem: "other_file_system",
    sentence: `${path} lies on another file system than before (${is}, it was ${was})`,
  };
}
