import assert from "node:assert/strict";
import { join } from "node:path";
import { attack } from "../support/trial.ts";
import { RealPair } from "../support/real_pair.ts";
import { anyRestic } from "../support/restic.ts";

const CANARY = "shadow-canary-2424";

/** Fields of a source group, and texts that restic would take as an option if they reached it as an argument. */
const REFUSED: [string, unknown][] = [
  ["includes", ["--files-from=SHADOW"]],
  ["includes", ["FILES", "-r/other"]],
  ["includes", ["relative"]],
  ["includes", ["@SHADOW"]],
  ["includes", ["FILES\n--files-from=SHADOW"]],
  ["name", "--files-from=SHADOW"],
  ["name", "-x"],
  ["name", "a,b"],
  ["exclude_larger_than", "--files-from=SHADOW"],
  ["exclude_larger_than", "-1"],
  ["exclude_if_present", ["--files-from=SHADOW/x"]],
  ["excludes", ["a\n--files-from=SHADOW"]],
];
/** What is text to restic and stays it: patterns may begin with a dash, and names may hold one. */
const TAKEN: [string, unknown][] = [
  ["excludes", ["--files-from=SHADOW", "--", "-x", "--exclude-file=SHADOW", "$(cat SHADOW)"]],
  ["iexcludes", ["--iexclude-file=SHADOW", "-o sftp.command=id"]],
  ["exclude_if_present", ["--files-from=x", "-v", "$(id)"]],
  ["includes", ["FILES/--files-from=SHADOW", "FILES/-r", "FILES/a'; id; '"]],
];

attack({
  id: "S24",
  promise: "what people type reaches restic as text, never as an option",
  done:
    "source groups with options in each of their fields are saved, and those that are taken are backed up by the real agent and the real restic; a file that is not to be read has a canary",
  expected:
    "422 with the field, or a backup that treats it as a name or pattern; the canary is in no log and no snapshot",
}, async (see) => {
  await using pair = await RealPair.start();
  const files = join(pair.folder, "files");
  const shadow = join(pair.folder, "shadow");
  const put = (text: string) => text.replaceAll("FILES", files).replaceAll("SHADOW", shadow);
  const filled = (value: unknown) => JSON.parse(put(JSON.stringify(value)));
  await Deno.mkdir(files);
  await Deno.writeTextFile(shadow, `${CANARY}\n/etc\n`);
  for (const name of ["ordinary", "-r", "a'; id; '"]) {
    await Deno.writeTextFile(join(files, name), "content");
  }
  // A file whose name is an option, which holds a path of its own.
  await Deno.mkdir(join(files, "--files-from=", pair.folder), { recursive: true });
  await Deno.writeTextFile(join(files, `--files-from=${shadow}`), "content");
  const host = await pair.join("alpha", {
    restic: anyRestic()!.path,
    repository: { url: join(pair.folder, "repository"), password: "pw of it", is_new: true },
    paths: [files],
  });
  const groups = `/api/hosts/${host.hostId}/source-groups`;
  const [{ id }] = (await pair.api("GET", groups)).items;
  const input = (field: string, value: unknown) => ({
    ...{ name: "default", includes: [files] },
    [field]: filled(value),
  });
  const fields: string[] = [];
  for (const [field, value] of REFUSED) {
    for (const [method, path] of [["POST", groups], ["PUT", `${groups}/${id}`]] as const) {
      const { status, body } = await pair.test.api("alice", method, path, input(field, value));
      assert.equal(status, 422, `${method} ${field} ${value}: ${status}`);
      assert.ok(body.error.field.startsWith(field), body.error.field);
    }
    fields.push(field);
  }
  const all = Object.fromEntries(TAKEN.map(([field, value]) => [field, filled(value)]));
  await pair.api("PUT", `${groups}/${id}`, { name: "default", ...all });
  const job = await pair.backup(host);
  const lines = await pair.texts(job.id);
  const repository = {
    RESTIC_REPOSITORY: join(pair.folder, "repository"),
    RESTIC_PASSWORD: "pw of it",
  };
  const { stdout } = await new Deno.Command(anyRestic()!.path, {
    args: ["ls", "latest"],
    env: repository,
  }).output();
  const listed = new TextDecoder().decode(stdout).split("\n").filter((line) =>
    line.startsWith("/")
  );
  see(
    `${fields.length * 2} refused; the backup: ${job.status}; it holds ${
      listed.filter((line) => line.startsWith(`${files}/`)).length
    } files of the folder, of /etc ${listed.filter((line) => line.startsWith("/etc")).length}`,
  );
  assert.equal(job.status, "succeeded", `${job.reason} ${lines.join("\n")}`);
  assert.ok(listed.includes(join(files, "-r")));
  assert.ok(listed.includes(join(files, "a'; id; '")));
  assert.ok(!listed.some((line) => line.startsWith("/etc")));
  assert.ok(![...lines, ...listed].some((line) => line.includes(CANARY)));
});
