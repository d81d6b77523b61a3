import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { FakeRestic } from "../support/fake_restic.ts";
import { FakeServer } from "../support/fake_server.ts";
import { waysToGive } from "../support/repository_ways.ts";
import { access, jobId, order, startAgent, testFolder } from "../support/start_agent.ts";
import { startServer } from "../support/start_server.ts";
import { textsBelow } from "../support/world.ts";

const PW = "canary47pw";
/** Each is an address with a password in it, as people paste it. */
const ADDRESSES = [
  `rest:https://user:${PW}@nas.example.org/r/`,
  `rest:https://:${PW}@nas.example.org/r/`,
  `rest:http://us%40er:${PW}%21@10.0.0.1:8000/r`,
  `REST:HTTPS://user:${PW}@nas.example.org/r`,
  `rest:https://user:${PW}@nas.example.org@evil/r`,
  `rest:https://user:${PW}/x@nas.example.org/r`,
  `rest: https://user:${PW}@nas.example.org/r`,
  `https://user:${PW}@nas.example.org/r`,
  `s3:https://key:${PW}@s3.example.org/bucket`,
  `s3:key:${PW}@s3.example.org/bucket`,
  `sftp://user:${PW}@nas.example.org//r`,
  `sftp:user:${PW}@nas.example.org:/r`,
  `sftp://user%3A${PW}@nas.example.org//r`,
  `swift:user:${PW}@container:/r`,
  `rclone:nas,user=x,pass=${PW}:r`,
  `rclone::sftp,host=x,pass=${PW}:r`,
];

attack({
  id: "S47",
  promise: "a password in an address is refused, and stands nowhere afterwards",
  done:
    `${ADDRESSES.length} addresses with a password are given by every route and form; the same come to a real agent by a server that lies`,
  expected:
    "422 with a sentence that does not repeat it; it is in no log, audit row or file; the agent starts nothing and says it masked",
}, async (see) => {
  await using test = await startServer();
  await using ways = await waysToGive(test);
  let refused = 0;
  for (const [way, give] of Object.entries(ways.give)) {
    for (const url of ADDRESSES) {
      const { status, text } = await give({ url });
      assert.equal(status, 422, `${way} ${url}: ${status}`);
      // The form shows its one reader what he typed, in the field where he typed it; the sentence does not.
      const said = text.replaceAll(/<input[^>]*name="(repository\.)?url"[^>]*>/g, "");
      assert.ok(!said.includes(PW), `${way} ${url}: ${said}`);
      refused++;
    }
  }
  const audit = JSON.stringify((await test.api("alice", "GET", "/api/audit?limit=500")).body);
  const texts = [audit, test.logged.join("\n")];
  await test.server.database.flush();
  texts.push(...Object.values(await textsBelow(test.dataDir)));
  assert.ok(!texts.some((text) => text.includes(PW)));

  using folder = testFolder();
  const restic = new FakeRestic(folder.path);
  const reasons: string[] = [];
  const repository = access("/srv/r");
  await using server = new FakeServer({ config: { repository } });
  await using agent = await startAgent(server, { directory: folder.path, restic: restic.path });
  for (const url of ADDRESSES) {
    server.send({
      ...{ type: "config.update", snapshot_host: "alpha", bandwidth_up_kib_per_s: null },
      ...{ bandwidth_down_kib_per_s: null, repository: { ...repository, url } },
    });
    const job_id = jobId();
    server.run({ job_id, source_group: order([folder.path]) });
    const { status, reason } = await server.finished(job_id);
    assert.equal(status, "failed", url);
    assert.ok(!reason?.includes(PW), `${url}: ${reason}`);
    const lines = server.texts(job_id).join("\n");
    assert.ok(!lines.includes(PW), `${url}: ${lines}`);
    reasons.push(reason ?? "");
  }
  assert.deepEqual(restic.starts, []);
  assert.ok(!agent.logged.join("\n").includes(PW));
  see(
    `${refused} refused, found nowhere; the agent refuses ${reasons.length}, such as: ${
      reasons[0]
    }`,
  );
});
