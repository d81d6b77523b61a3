import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { Fleet, freePort } from "../support/programs.ts";
import { anyRestic, resticByHand } from "../support/restic.ts";

const PASSWORD = "secret-of-the-repository";
const REST_SERVER = join(Deno.env.get("HOME") ?? "/root", ".cache/rest-server/rest-server");
const ROUNDS = 20;

Deno.test("two hosts told to initialise one repository at the same moment: one makes it, both work, twenty times out of twenty", async () => {
  await using fleet = await Fleet.start();
  await using rest = await restServer(fleet.folder);
  const first = {
    name: "first",
    url: join(fleet.folder, "first"),
    password: PASSWORD,
    is_new: true,
  };
  const alpha = await fleet.join("alpha", first, ["/etc/hostname"]);
  await fleet.repositoryReady(alpha);
  const { repository_id } = await fleet.api("GET", `/api/hosts/${alpha}`);
  const beta = await fleet.join("beta", { id: repository_id }, ["/etc/hostname"]);
  await fleet.repositoryReady(beta);
  for (let round = 1; round <= ROUNDS; round++) {
    // Where there is a REST server every other round is over it: there both restics lose most races.
    const url = rest.url && round % 2
      ? `${rest.url}round-${round}/`
      : join(fleet.folder, `round-${round}`);
    const repository = await fleet.api("POST", "/api/repositories", {
      name: `round ${round}`,
      url,
      password: PASSWORD,
      is_new: true,
    });
    await Promise.all(
      [alpha, beta].map((host) =>
        fleet.api("PATCH", `/api/hosts/${host}`, { repository_id: repository.id })
      ),
    );
    const jobs = await eventually("both inits have ended", async () => {
      const { items } = await fleet.api("GET", `/api/jobs?kind=init&repository=${repository.id}`);
      return items.length === 2 && items.every((job: { finished_at: string | null }) =>
        job.finished_at
      ) && items;
    }, 60_000);
    assert.deepEqual(
      jobs.map((job: { status: string }) => job.status),
      ["succeeded", "succeeded"],
      JSON.stringify(jobs),
    );
    const made = await fleet.api(
      "GET",
      `/api/audit?action=repository.initialised&target=${repository.id}`,
    );
    assert.equal(made.items.length, 1, `round ${round}`);
    // Rejects when the repository does not open.
    await resticByHand(anyRestic()!, url, ["snapshots", "--json"], PASSWORD);
  }
  const backups = await Promise.all(
    [alpha, beta].map(async (host) =>
      await fleet.jobIs(await fleet.run(host), "succeeded", "failed")
    ),
  );
  assert.deepEqual(backups.map((job) => job.status), ["succeeded", "succeeded"]);
});

interface RestServer extends AsyncDisposable {
  url: string | null;
}

async function restServer(folder: string): Promise<RestServer> {
  const there = await Deno.stat(REST_SERVER).then(() => true, () => false);
  if (!there) {
    console.log("left out: the rounds over a REST repository (rest-server is not prepared)");
    return { url: null, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const port = freePort();
  const child = new Deno.Command(REST_SERVER, {
    args: ["--path", join(folder, "rest"), "--listen", `127.0.0.1:${port}`, "--no-auth"],
    stdout: "null",
    stderr: "null",
  }).spawn();
  await eventually("rest-server listens", async () => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.close();
    return true;
  });
  return {
    url: `rest:http://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await child.status;
    },
  };
}
