import assert from "node:assert/strict";
import { type Event, Events } from "../../../server/events.ts";
import type { Server } from "../../../server/server.ts";
import { Rounds } from "../../../server/web/rounds.ts";
import { eventually } from "../../support/eventually.ts";
import { joinHost } from "../../support/fake_agent.ts";
import { RawStream } from "../../support/raw_stream.ts";
import { startServer, type TestServer } from "../../support/start_server.ts";

/** What a stream of the host's schedules shows first. */
async function firstShown(test: TestServer, hostId: string): Promise<string> {
  const path = `/live/hosts/${hostId}?tab=schedules`;
  const stream = await RawStream.open(test.url, path, `Bearer ${test.tokens.olive}`);
  assert.ok(await stream.until('id="schedules"'));
  assert.ok(await stream.until("</table>"));
  stream.close();
  return stream.text;
}

for (const others of ["nobody", "a fleet page", "a page of the same host"]) {
  Deno.test(`a page that opens after a change shows nothing older than itself; beside it is open: ${others}`, async () => {
    await using test = await startServer();
    const api = async (method: string, path: string, body?: unknown) => {
      const { status, body: answer } = await test.api("olive", method, path, body);
      assert.ok(status < 300, JSON.stringify(answer));
      return answer;
    };
    const host = await joinHost(test, "alpha");
    const [group] = (await api("GET", `/api/hosts/${host.hostId}/source-groups`)).items;
    const schedules = `/api/hosts/${host.hostId}/schedules`;
    const schedule = await api("POST", schedules, {
      cron: "0 3 * * *",
      source_group_ids: [group.id],
    });
    const beside = others === "nobody" ? undefined : await RawStream.open(
      test.url,
      others === "a fleet page" ? "/live/fleet" : `/live/hosts/${host.hostId}?tab=schedules`,
      `Bearer ${test.tokens.olive}`,
    );
    for (const enabled of [false, true, false]) {
      await api("PUT", `${schedules}/${schedule.id}`, {
        cron: "0 3 * * *",
        source_group_ids: [group.id],
        enabled,
      });
      const shown = await firstShown(test, host.hostId);
      assert.equal(shown.includes("(paused)"), !enabled, shown);
    }
    beside?.close();
  });
}

Deno.test("a page that opens after a round in which the last reader left is served", async () => {
  const closing = new AbortController();
  const events = new Events((error) => assert.fail(String(error)));
  const rounds = new Rounds({ events, closing: closing.signal } as Server);
  const event: Event = { type: "host", hostId: "h" };
  const watcher = (serve: () => Promise<void>) => ({ topics: ["fleet"], note: () => {}, serve });
  const begun = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  const first = watcher(() => {
    begun.resolve();
    return done.promise;
  });
  rounds.watch(first);
  events.publish(event);
  await begun.promise;
  events.publish(event);
  rounds.unwatch(first);
  done.resolve();
  await eventually("the round is over", () => !rounds.isBehind);
  // Or it waits for a round, which then comes.
  rounds.watch(watcher(() => Promise.resolve()));
  events.publish(event);
  assert.ok(rounds.isBehind);
  const served = Promise.withResolvers<void>();
  const late = watcher(() => Promise.resolve(served.resolve()));
  rounds.watch(late);
  rounds.awaitNext(late);
  await served.promise;
  closing.abort();
});

Deno.test("a server that closes in the middle of a round leaves nothing that runs", async () => {
  const closing = new AbortController();
  const events = new Events((error) => assert.fail(String(error)));
  const rounds = new Rounds({ events, closing: closing.signal } as Server);
  const served = Promise.withResolvers<void>();
  for (let n = 0; n < 12; n++) {
    rounds.watch({
      topics: ["fleet"],
      note: () => {},
      serve: () => Promise.resolve(served.resolve()),
    });
  }
  events.publish({ type: "host", hostId: "h" });
  await served.promise;
  // The first five are served; before the next ones others have their turn.
  await new Promise((resolve) => setTimeout(resolve, 0));
  // Deno's sanitizer tells of a timer that is left.
  closing.abort();
});
