// A real pair with one host, whose repository is maintained.
import assert from "node:assert/strict";
import { join } from "node:path";
import { RealPair } from "./real_pair.ts";
import { type RealRestic, resticByHand } from "./restic.ts";

export const PASSWORD = "secret-of-the-repository";

export async function maintainedPair(restic: RealRestic, url?: string) {
  const pair = await RealPair.start();
  const source = join(pair.folder, "source");
  await Deno.mkdir(source);
  await Deno.writeTextFile(join(source, "file"), "content");
  const repository = url ?? join(pair.folder, "repository");
  const host = await pair.join("alpha", {
    restic: restic.path,
    repository: { url: repository, password: PASSWORD, is_new: true },
    paths: [source],
  });
  const [group] = (await pair.api("GET", `/api/hosts/${host.hostId}/source-groups`)).items;
  const keep = (retention: Record<string, unknown>) =>
    pair.api("PUT", `/api/hosts/${host.hostId}/source-groups/${group.id}`, {
      name: group.name,
      includes: [source],
      retention,
    });
  const backups = async (count: number) => {
    for (let n = 0; n < count; n++) {
      await Deno.writeTextFile(join(source, "file"), `content ${n} ${crypto.randomUUID()}`);
      assert.equal((await pair.backup(host)).status, "succeeded");
    }
  };
  const listed = async (at = repository) =>
    JSON.parse(await resticByHand(restic, at, ["snapshots", "--json"], PASSWORD)) as {
      id: string;
    }[];
  return {
    pair,
    host,
    group,
    source,
    repository,
    keep,
    backups,
    listed,
    repositoryId: host.repositoryId,
  };
}
