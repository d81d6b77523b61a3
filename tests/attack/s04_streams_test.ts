import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { signIn } from "../support/browser_session.ts";
import { eventually } from "../support/eventually.ts";
import { Announcer } from "../support/fake_announcer.ts";
import { startServer, type TestServer } from "../support/start_server.ts";
import { makeWorld } from "../support/world.ts";

/** An open stream, and all that came by it so far. */
async function listen(test: TestServer, path: string, headers: Record<string, string>) {
  const response = await fetch(test.url + path, { headers, redirect: "manual" });
  const stream = { status: response.status, text: "", hasEnded: false };
  const read = async () => {
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      stream.text += part;
    }
    stream.hasEnded = true;
  };
  read().catch(() => stream.hasEnded = true);
  return stream;
}

attack({
  id: "S04",
  promise: "a live stream carries what its reader may see, and nothing else, for as long as he may",
  done:
    "streams are asked for by patterns, lists and other topics instead of an id; a viewer and an operator watch while machines announce themselves and both hosts log; then sessions and tokens end and a role is lowered",
  expected:
    "404 or 422; a viewer sees no machine that waits and a job's stream no other job; each stream ends within seconds",
}, async (see) => {
  await using test = await startServer();
  await using world = await makeWorld(test);
  const [alpha, beta] = world.hosts;
  const bearer = (name: "olive" | "victor" | "alice") => ({
    authorization: `Bearer ${test.tokens[name]}`,
  });
  const tricks = ["*", "%2A", `job:${beta!.jobId}`, `${alpha!.jobId},${beta!.jobId}`, "fleet"];
  for (const id of [...tricks, "..", "%00", alpha!.hostId]) {
    for (const path of [`/live/jobs/${id}`, `/live/joining/${id}`, `/api/jobs/${id}/stream`]) {
      const { status, body } = await fetch(test.url + path, { headers: bearer("alice") });
      await body?.cancel();
      assert.equal(status, 404, `${path}: ${status}`);
    }
  }
  for (const last of ["-1", "1e99", "NaN", "0x1", "1;2", "9".repeat(400)]) {
    const headers = { ...bearer("victor"), "last-event-id": last };
    const { status, body } = await fetch(`${test.url}/live/jobs/${alpha!.jobId}`, { headers });
    await body?.cancel();
    assert.ok(status === 422 || last === "0x1", `${last}: ${status}`);
  }
  const victor = await signIn(test, "victor");
  const olive = await signIn(test, "olive");
  const viewer = [
    await listen(test, "/live/dashboard", { cookie: victor.cookie }),
    await listen(test, "/live/fleet", bearer("victor")),
    await listen(test, `/live/hosts/${alpha!.hostId}?tab=repository`, bearer("victor")),
    await listen(test, `/live/hosts/${alpha!.hostId}?tab=schedules`, bearer("victor")),
    await listen(test, `/live/jobs/${alpha!.jobId}`, bearer("victor")),
  ];
  const operator = await listen(test, "/live/dashboard", { cookie: olive.cookie });
  const raw = await listen(test, `/api/jobs/${alpha!.jobId}/stream`, bearer("olive"));
  const joining = await listen(test, "/live/joining/*", bearer("victor"));
  assert.equal(joining.status, 403);
  await Announcer.announced(test, "machine-that-waits");
  beta!.agent.lines(beta!.jobId, 2, ["a secret of beta"]);
  await beta!.agent.acknowledged(beta!.agent.finished(beta!.jobId));
  alpha!.agent.lines(alpha!.jobId, 2, ["alpha goes on"]);
  await alpha!.agent.acknowledged(alpha!.agent.finished(alpha!.jobId));
  await eventually("the operator hears of it", () => operator.text.includes("machine-that-waits"));
  await eventually("the line is there", () => raw.text.includes("alpha goes on"));
  await eventually("for the viewer too", () => viewer[4]!.text.includes("alpha goes on"));
  for (const { text } of [...viewer, raw]) {
    assert.ok(!text.includes("machine-that-waits"), "a viewer sees a machine that waits");
    assert.ok(!text.includes("a secret of beta"), "a stream carries another job's line");
  }
  // What only operators may press is not in what a viewer gets.
  const buttons = viewer.map(({ text }) => text.match(/<button|<form|formaction=/g)?.length ?? 0);
  assert.deepEqual(buttons, [0, 0, 0, 0, 0]);
  const began = performance.now();
  const [session] = (await victor.api("GET", "/api/sessions")).body.items;
  await victor.api("DELETE", `/api/sessions/${session.id}`);
  const ends = (stream: { hasEnded: boolean }) =>
    eventually("the stream ends", () => stream.hasEnded, 5000);
  await ends(viewer[0]!);
  await test.api("alice", "PATCH", `/api/users/${test.users.olive.id}`, { role: "viewer" });
  await ends(operator);
  for (const token of (await test.api("victor", "GET", "/api/tokens")).body.items) {
    await test.api("victor", "DELETE", `/api/tokens/${token.id}`);
  }
  await Promise.all(viewer.map(ends));
  see(
    `viewer: no machine that waits, no buttons, no other job's lines; all streams ended ${
      Math.round(performance.now() - began)
    } ms after their door was shut`,
  );
  assert.ok(performance.now() - began < 8000);
});
