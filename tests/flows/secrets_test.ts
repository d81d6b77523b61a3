// Secrets are planted everywhere where one may be entered, a backup is run with a restic that blurts out all it knows,
// and then everything that anybody can read is searched for them.
import assert from "node:assert/strict";
import { join } from "node:path";
import { FakeRestic, LISTED, SUMMARY } from "../support/fake_restic.ts";
import { Fleet, runOnce } from "../support/programs.ts";
import { eventually } from "../support/eventually.ts";

const CANARIES = {
  repositoryPassword: "canary-repository-password-7391",
  restPassword: "canary/rest password:7392",
  awsSecret: "canary-aws-secret-7393",
  userPassword: "canary-user-password-7394",
  hook: "canary-hook-7395",
};

async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) files.push(...await filesBelow(path));
    else if (entry.isFile) files.push(path);
  }
  return files;
}

/** Every form in which a secret could show: as it is, percent-encoded, in JSON, in base64. */
function forms(secret: string): string[] {
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), btoa(secret)];
}

Deno.test("planted secrets are in no page, answer, log, audit entry, process argument, job line or stored file", async () => {
  await using fleet = await Fleet.start();
  const passwordFile = join(fleet.folder, "password");
  await Deno.writeTextFile(passwordFile, CANARIES.userPassword);
  const added = await runOnce("server", [
    "user",
    "add",
    "olive",
    "--role",
    "operator",
    "--password-file",
    passwordFile,
  ], {
    RM_DATA_DIR: join(fleet.folder, "server"),
  });
  assert.equal(added.code, 0, added.stderr);
  await Deno.remove(passwordFile);
  const gate = join(fleet.folder, "go");
  const restic = new FakeRestic(fleet.folder, {
    version: "0.14.0",
    verbs: {
      backup:
        `env; env >&2; echo "Fatal: $RESTIC_PASSWORD $RESTIC_REPOSITORY" >&2; echo "{\\"message_type\\":\\"error\\",\\"error\\":{\\"message\\":\\"$RESTIC_REPOSITORY\\"},\\"item\\":\\"$RESTIC_PASSWORD\\"}" >&2
        while [ ! -e '${gate}' ]; do sleep 0.05; done; ${SUMMARY}`,
      snapshots: LISTED,
      unlock: `echo "Fatal: wrong password $RESTIC_PASSWORD at $RESTIC_REPOSITORY" >&2; exit 1`,
    },
  });
  const host = await fleet.join(
    "alpha",
    {
      name: "canary",
      url: "rest:http://127.0.0.1:1/repo/",
      username: "alpha",
      password: CANARIES.repositoryPassword,
      rest_password: CANARIES.restPassword,
      environment: { AWS_SECRET_ACCESS_KEY: CANARIES.awsSecret },
      is_new: false,
    },
    ["/etc"],
    { RM_RESTIC: restic.path },
  );
  await fleet.repositoryReady(host);
  const groups = `/api/hosts/${host}/source-groups`;
  const [group] = (await fleet.api("GET", groups)).items;
  const hookGate = join(fleet.folder, "hook-go");
  await fleet.api("PUT", `${groups}/${group.id}`, {
    name: group.name,
    includes: group.includes,
    pre_hook:
      `: --password=${CANARIES.hook}\necho begun\nwhile [ ! -e '${hookGate}' ]; do sleep 0.05; done`,
  });
  const job = await fleet.run(host);
  await eventually(
    "the hook runs",
    async () => (await fleet.lines(job)).some((line) => line.text === "hook: begun"),
  );
  const duringHook = await processArguments("/bin/sh");
  await Deno.writeTextFile(hookGate, "");
  await eventually(
    "it blurted",
    async () => (await fleet.lines(job)).some((line) => line.text.startsWith("RESTIC_PASSWORD=")),
  );
  const seen = new Map<string, string>();
  seen.set("process arguments", await processArguments("backup"));
  seen.set("process arguments during the hook", duringHook);
  await Deno.writeTextFile(gate, "");
  await fleet.jobIs(job, "succeeded");
  const failed = await fleet.run(host, { kind: "unlock" });
  await fleet.jobIs(failed, "failed");
  // A wrong sign-in must not write down what was typed.
  await fetch(`${fleet.url}/api/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "olive", password: `${CANARIES.userPassword}x` }),
  }).then((response) => response.body?.cancel());
  const { repository_id } = await fleet.api("GET", `/api/hosts/${host}`);
  const paths = [
    "/",
    "/jobs",
    "/repositories",
    "/audit",
    "/account",
    "/hosts/new",
    `/hosts/${host}`,
    `/hosts/${host}/sources`,
    `/hosts/${host}/repository`,
    `/hosts/${host}/jobs`,
    `/hosts/${host}/settings`,
    `/jobs/${job}`,
    `/jobs/${failed}`,
    `/repositories/${repository_id}`,
    "/api/hosts",
    `/api/hosts/${host}`,
    `/api/hosts/${host}/source-groups`,
    "/api/repositories",
    `/api/repositories/${repository_id}`,
    "/api/jobs",
    `/api/jobs/${job}`,
    `/api/jobs/${failed}`,
    `/api/jobs/${job}/log.txt`,
    `/api/jobs/${job}/log.ndjson`,
    `/api/jobs/${job}/stream`,
    `/api/jobs/${failed}/log.txt`,
    "/api/audit?limit=500",
    "/api/audit.csv",
    "/api/tokens",
    "/api/fleet/summary",
  ];
  for (const path of paths) {
    const answer = await fleet.api("GET", path);
    seen.set(path, typeof answer === "string" ? answer : JSON.stringify(answer));
  }
  seen.set("the server's log", fleet.server.printed());
  seen.set("the agent's log", fleet.agent("alpha").printed());
  for (
    const file of [
      ...await filesBelow(join(fleet.folder, "server")),
      ...await filesBelow(join(fleet.folder, "alpha")),
    ]
  ) {
    seen.set(file, new TextDecoder("latin1").decode(await Deno.readFile(file)));
  }
  assert.ok(
    [...seen.values()].join("").includes("***"),
    "nothing was masked: the test would prove nothing",
  );
  const leaks = [...seen].flatMap(([where, text]) =>
    Object.entries(CANARIES).filter(([name, secret]) =>
      // Operators see hooks where they are edited, and nowhere else.
      !(name === "hook" && where === groups) && forms(secret).some((form) => text.includes(form))
    )
      .map(([name]) => `${name} in ${where}`)
  );
  assert.deepEqual(leaks, []);
});

/** The command lines of all processes of this machine, as any user may read them. */
async function processArguments(expected: string): Promise<string> {
  let all = "";
  for await (const entry of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(entry.name)) continue;
    all += await Deno.readTextFile(`/proc/${entry.name}/cmdline`).catch(() => "");
  }
  assert.ok(all.includes(expected), `no ${expected} was running`);
  return all;
}
