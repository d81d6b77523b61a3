// Both programs as processes with one host, whose restic is fake or real.
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { FakeRestic, LISTED, SNAPSHOT_ID, SUMMARY } from "./fake_restic.ts";
import { type Evidence, fakeRepository, realRepository } from "./oracles.ts";
import { Fleet, randomFiles } from "./programs.ts";
import type { RealRestic } from "./restic.ts";

const PASSWORD = "secret-of-the-repository";
/** With this limit a real restic takes some seconds for the files of realHost(). */
export const SLOW = { kind: "backup", bandwidth_up_kbps: 600 };

export interface OneHost extends AsyncDisposable {
  fleet: Fleet;
  hostId: string;
  /** For the next start of the agent alpha. */
  env: Record<string, string>;
  /** For the seven oracles. */
  evidence(): Evidence;
  /** A backup is at work and has printed something. */
  running(jobId: string): Promise<void>;
}

/** Without verbs of its own it backs up at once; `go` is the file for which a backup may wait. */
export async function fakeHost(
  backup: (go: string) => string = () => SUMMARY,
  env: Record<string, string> = {},
): Promise<OneHost & { restic: FakeRestic; go: string }> {
  const fleet = await Fleet.start();
  const go = join(fleet.folder, "go");
  const verbs = { backup: backup(go), snapshots: LISTED };
  const restic = new FakeRestic(fleet.folder, { verbs });
  const url = join(fleet.folder, "repository");
  const all = await join1(fleet, { url, is_new: false }, ["/etc"], {
    RM_RESTIC: restic.path,
    ...env,
  });
  const evidence = () => ({
    dataDir: fleet.dataDir,
    repositories: [fakeRepository(url, [SNAPSHOT_ID])],
    counters: [restic],
  });
  return { ...all, evidence, restic, go };
}

/** Three megabytes that do not compress, and a new repository. */
export async function realHost(
  restic: RealRestic,
  env: Record<string, string> = {},
): Promise<OneHost & { repository: string; source: string }> {
  const fleet = await Fleet.start();
  const source = join(fleet.folder, "files");
  await randomFiles(source, 6, 500_000);
  const repository = join(fleet.folder, "repository");
  const all = await join1(fleet, { url: repository, is_new: true }, [source], {
    RM_RESTIC: restic.path,
    ...env,
  });
  const evidence = () => ({
    dataDir: fleet.dataDir,
    repositories: [realRepository(restic, repository, PASSWORD)],
  });
  return { ...all, evidence, repository, source };
}

async function join1(
  fleet: Fleet,
  repository: Record<string, unknown>,
  paths: string[],
  env: Record<string, string>,
): Promise<Omit<OneHost, "evidence">> {
  const whole = { name: "r", password: PASSWORD, ...repository };
  const hostId = await fleet.join("alpha", whole, paths, env);
  await fleet.repositoryReady(hostId);
  return {
    fleet,
    hostId,
    env,
    async running(jobId) {
      await fleet.jobIs(jobId, "running");
      await eventually("restic runs", async () => (await fleet.lines(jobId)).length > 0);
    },
    [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
  };
}

/** The locks that a local repository holds; while restic writes one it lies under another name. */
export function locksOf(repository: string): number {
  return [...Deno.readDirSync(join(repository, "locks"))]
    .filter(({ name }) => /^[0-9a-f]{64}$/.test(name)).length;
}
