import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { attack } from "../support/trial.ts";
import { busyHost, rowsOf } from "../support/quotas.ts";
import { startServer } from "../support/start_server.ts";

const FLOOD = fileURLToPath(new URL("../support/flood.ts", import.meta.url));
const KINDS = ["lines", "short lines", "unknown types", "plans"];
const ROUNDS = 60;

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const worst = (values: number[]) => Math.max(...values);

/** Milliseconds. Behind the flood a page would wait for seconds; how fast it is otherwise is a matter of ./dev bench. */
const WAITS = 1000;

attack({
  id: "promise 2",
  promise: "an agent that sends as fast as it can slows down neither pages nor other agents",
  done:
    "a program beside the server floods it through one agent's connection: full batches, single lines, unknown types, plan acknowledgements",
  expected:
    "the dashboard and the acknowledgement of another agent come in a fraction of a second all the while",
}, async (see) => {
  await using test = await startServer();
  const stolen = await busyHost(test, "stolen");
  const honest = await busyHost(test, "honest");
  await stolen.agent.close();
  const headers = { Authorization: `Bearer ${test.tokens.victor}` };
  let line = 0;
  const measure = async () => {
    const [pages, acks]: number[][] = [[], []];
    for (let n = 0; n < ROUNDS; n++) {
      let began = performance.now();
      await (await fetch(test.url, { headers })).arrayBuffer();
      pages!.push(performance.now() - began);
      began = performance.now();
      await honest.agent.acknowledged(honest.agent.lines(honest.jobId, ++line, ["a line"]));
      acks!.push(performance.now() - began);
    }
    return { pages: pages!, acks: acks! };
  };
  await measure();
  const alone = await measure();
  see(`alone: page ${median(alone.pages).toFixed(1)} ms, ack ${median(alone.acks).toFixed(1)} ms`);
  for (const kind of KINDS) {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", FLOOD, test.url, stolen.bearer, stolen.jobId, kind],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    try {
      let said = "";
      while (!/"sent":[1-9]/.test(said)) said = (await reader.read()).value ?? "";
      const { pages, acks } = await measure();
      see(
        `${kind}: page ${median(pages).toFixed(1)} ms, at worst ${worst(pages).toFixed(0)}; ` +
          `ack ${median(acks).toFixed(1)} ms, at worst ${worst(acks).toFixed(0)}`,
      );
      assert.ok(median(pages) < WAITS, `${median(pages)} ms a page`);
      assert.ok(median(acks) < WAITS, `${median(acks)} ms an acknowledgement`);
    } finally {
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    }
  }
  see(`${rowsOf(test, "job_lines")} lines are stored, ${rowsOf(test, "audit")} rows of audit`);
  await honest.agent.close();
});
