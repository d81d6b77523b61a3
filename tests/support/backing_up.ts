// A real agent with a real restic and a repository on this disk, against a fake server.
import { join } from "node:path";
import { FakeServer } from "./fake_server.ts";
import { placeRepository, type RealRestic } from "./restic.ts";
import { access, jobId, startAgent, testFolder } from "./start_agent.ts";
import type { RepositoryAccess } from "../../shared/repository_access.ts";

export interface BackingUp {
  config?: Partial<RepositoryAccess>;
  /** Makes the repository by hand first. */
  made?: boolean;
  contactMs?: number;
  /** Where the repository is; else in the test's folder. */
  repositoryAt?: string;
}

export async function backingUp(
  restic: RealRestic,
  { config, made = true, contactMs = 60_000, repositoryAt }: BackingUp = {},
) {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(testFolder());
  const repository = repositoryAt ?? join(folder, "repository");
  const source = join(folder, "source");
  Deno.mkdirSync(source);
  Deno.writeTextFileSync(join(source, "a file"), "content");
  if (made) await placeRepository(restic, repository);
  const server = stack.use(
    new FakeServer({ config: { repository: access(repository, config) } }),
  );
  const started = await startAgent(server, {
    directory: folder,
    restic: restic.path,
    timeouts: { contactMs },
  });
  const { agent } = stack.use(started);
  const run = async (job: Partial<Parameters<FakeServer["run"]>[0]>) => {
    const job_id = jobId();
    server.run({ job_id, ...job });
    return await server.finished(job_id);
  };
  return Object.assign(stack.move(), { folder, repository, source, server, agent, run });
}

/** How many files lie among its locks. */
export const locksIn = (repository: string) =>
  [...Deno.readDirSync(join(repository, "locks"))].length;

/** A file that does not compress. */
export function writeNoise(path: string, bytes: number): void {
  const data = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(data.subarray(at, at + 65_536));
  Deno.writeFileSync(path, data);
}
