import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { sevenOracles } from "../support/oracles.ts";
import { fault } from "../support/trial.ts";
import { Fleet } from "../support/programs.ts";
import { leaveOut } from "../support/left_out.ts";
import { missingRestServer, startRestServer } from "../support/rest_server.ts";
import { anyRestic, resticByHand } from "../support/restic.ts";

const PASSWORD = "secret-of-the-repository";
/** RM_TEST_INIT_ROUNDS asks for more. */
const ROUNDS = Number(Deno.env.get("RM_TEST_INIT_ROUNDS") ?? 6);

if (missingRestServer) leaveOut("the rounds over a REST repository", missingRestServer);

fault({
  id: "F60",
  promise:
    "of two hosts that are told to initialise one repository at the same moment one makes it, and both work",
  done: `${ROUNDS} times, in every other round over a REST server where there is one`,
  expected: "both inits succeed, one made it, the repository opens; both back up",
}, async (see) => {
  await using fleet = await Fleet.start();
  await using rest = missingRestServer ? null : await startRestServer(join(fleet.folder, "rest"));
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
    const url = rest && round % 2
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
  await sevenOracles({ dataDir: fleet.dataDir }, see);
  see(`${ROUNDS} rounds`);
});
