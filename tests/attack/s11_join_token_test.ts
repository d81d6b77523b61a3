import assert from "node:assert/strict";
import { join } from "node:path";
import { FakeRestic } from "../support/fake_restic.ts";
import { attack } from "../support/trial.ts";
import { eventually } from "../support/eventually.ts";
import { Fleet } from "../support/programs.ts";
import { textsBelow } from "../support/world.ts";

attack({
  id: "S11",
  promise: "the token of a join command is in no URL, process argument, log or file",
  done:
    "a machine joins by a token with real programs, while all process arguments are read all the time; a wrong client puts the token into a URL; then everything that was logged and stored is searched",
  expected: "the command has it in a variable alone, and nothing of what was searched holds it",
}, async (see) => {
  await using fleet = await Fleet.start();
  const restic = new FakeRestic(fleet.folder);
  const made = await fleet.api("POST", "/api/enrollment-tokens", {
    hostname: "alpha",
    repository: { name: "r", url: join(fleet.folder, "repository"), is_new: false, password: "pw" },
  });
  const { token, commands } = made as { token: string; commands: Record<string, string> };
  for (const [system, command] of Object.entries(commands)) {
    const holder = system === "linux" ? `RM_TOKEN=${token} ` : `$env:RM_TOKEN='${token}';`;
    assert.ok(command.includes(holder), command);
    assert.ok(!command.replace(holder, "").includes(token), command);
  }
  let isLooking = true;
  const seen = new Map<string, string>();
  const looking = (async () => {
    while (isLooking) {
      for await (const { name } of Deno.readDir("/proc")) {
        if (!/^\d+$/.test(name)) continue;
        const line = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
        if (line.includes(token)) seen.set(`arguments of process ${name}`, line);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  // By query, by header and by basic authentication: none of them is a way in, and none is written down.
  const host = fleet.url.replace("http://", "");
  for (const address of [`${fleet.url}/?token=${token}`, `http://x:${token}@${host}/api/hosts`]) {
    const { status, body } = await fetch(address, { headers: { accept: "text/html" } });
    await body?.cancel();
    assert.ok([200, 401].includes(status));
  }
  const byQuery = await fetch(`${fleet.url}/api/agents/enroll?token=${token}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: "x" }),
  });
  await byQuery.body?.cancel();
  assert.ok(byQuery.status >= 400);
  fleet.startAgent("alpha", { RM_TOKEN: token, RM_RESTIC: restic.path });
  await eventually(
    "it has joined",
    async () => (await fleet.api("GET", "/api/hosts")).items[0]?.online,
    30_000,
  );
  isLooking = false;
  await looking;
  const texts = {
    "the server's log": fleet.server.printed(),
    "the agent's log": fleet.agent("alpha").printed(),
    "the audit": JSON.stringify(await fleet.api("GET", "/api/audit?limit=500")),
    ...await textsBelow(fleet.folder),
  };
  for (const [where, text] of Object.entries(texts)) {
    if (text.includes(token)) seen.set(where, "");
  }
  see(
    `found in: ${[...seen.keys()].join(", ") || "nothing"}; searched ${
      Object.keys(texts).length
    } logs and files, and ${fleet.agent("alpha").printed().split("\n").length} lines of the agent`,
  );
  assert.deepEqual([...seen], []);
  assert.ok(fleet.agent("alpha").printed().includes("is now host"));
});
