import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { dirname } from "node:path";
import config from "../deno.json" with { type: "json" };

Deno.test("./dev alone says of every task what it does, and starts none", async () => {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: [fileURLToPath(new URL("../dev", import.meta.url))],
    env: { PATH: `${dirname(Deno.execPath())}:${Deno.env.get("PATH")}` },
    stdin: "null",
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(code, 0, decode(stderr));
  const lines = decode(stdout).trimEnd().split("\n").slice(2);
  const tasks = Object.entries(config.tasks);
  assert.equal(lines.length, tasks.length);
  for (const [n, [name, { description }]] of tasks.entries()) {
    assert.match(lines[n]!, new RegExp(`^  ${name} {2,}\\S.*[^.]$`));
    assert.ok(lines[n]!.endsWith(description) && lines[n]!.length <= 120, lines[n]);
  }
});
