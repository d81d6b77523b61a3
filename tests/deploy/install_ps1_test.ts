// No PowerShell runs here: install.ps1 is parsed by the grammar of tree-sitter, with rules for what 5.1 lacks. What it
// makes the agent do is tested on Windows (tests/windows).
import assert from "node:assert/strict";
import { firstOf, missingFile, missingProgram, testUnless } from "../support/left_out.ts";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { testFolder } from "../support/start_agent.ts";

const SCRIPT = fileURLToPath(new URL("../../deploy/install.ps1", import.meta.url));
const CHECKER = join(Deno.env.get("HOME") ?? "/root", ".cache/check-ps1/check-ps1.mjs");

async function check(path: string): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command("node", {
    // Without the option V8 takes six seconds more to end.
    args: ["--liftoff-only", CHECKER, path],
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, text: decode(stdout) + decode(stderr) };
}

const missing = firstOf(await missingFile(CHECKER), await missingProgram("node"));
testUnless(missing, "install.ps1 is PowerShell 5.1, and the check sees what is not", async () => {
  const { code, text } = await check(SCRIPT);
  assert.equal(code, 0, text);
  using folder = testFolder();
  const broken = join(folder.path, "broken.ps1");
  const good = await Deno.readTextFile(SCRIPT);
  const changes: [from: string, to: string][] = [
    ["-not $address -and", "-not $address &&"],
    ["} else {", "} else "],
    ["-ne 0", "!= 0"],
    ["Move-Item", "Move-Itm"],
    ["Nothing was installed.", "Nichts wurde geändert."],
  ];
  for (const [from, to] of changes) {
    assert.ok(good.includes(from), from);
    await Deno.writeTextFile(broken, good.replace(from, to));
    assert.equal((await check(broken)).code, 1, `${from} → ${to}`);
  }
});

Deno.test("install.ps1 does nothing before its last line, closes no session, and passes no token as an argument", async () => {
  const lines = (await Deno.readTextFile(SCRIPT)).trimEnd().split("\n");
  const code = lines.filter((line) => line.trim() !== "" && !line.startsWith("#"));
  // Outside of functions: parameters, the names of files, and the call.
  const outside = code.filter((line) => !/^[ }]|^function /.test(line));
  assert.deepEqual(outside, [
    "param([switch]$Uninstall)",
    "$folder = Join-Path $env:ProgramFiles 'restic-manager'",
    "$agent = Join-Path $folder 'restic-manager-agent.exe'",
    "$nssm = Join-Path $folder 'nssm.exe'",
    "Invoke-Main",
  ]);
  assert.equal(lines.at(-1), "Invoke-Main");
  // By iex it runs in the session of anyone who called it.
  assert.ok(!code.some((line) => /\bexit\b/i.test(line)));
  assert.ok(!code.some((line) => /RM_TOKEN/.test(line) && !/Remove-Item/.test(line)));
});
