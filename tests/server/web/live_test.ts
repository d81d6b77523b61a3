import assert from "node:assert/strict";
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
