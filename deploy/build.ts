// `deno task build`: one program per operating system in dist/, with SHA256SUMS beside them. Two builds of one commit are
// the same bytes.
import { parseArgs } from "node:util";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleProgram, printed, type ProgramName, readCommit } from "./build/bundle.ts";
import { compileProgram } from "./build/compile.ts";
import { startUpMilliseconds } from "./build/measure.ts";
import { stageNssm } from "./build/nssm.ts";
import { fileName, TARGETS } from "./build/targets.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

const HELP = `Usage: deno task build [--target NAME]... [--out FOLDER]

Builds the programs for ${
  Object.keys(TARGETS).join(", ")
}, or only for the named targets, into dist/ or FOLDER.

Environment
  DENORT_CACHE  a folder with Deno's runtimes (denort-linux-x64 …), default ~/.cache/denort-<version>
  DENORT_BIN    one runtime; then exactly one --target must be named
Without either, Deno downloads the runtimes itself.
`;

const { values } = parseArgs({
  options: {
    target: { type: "string", multiple: true },
    out: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  console.log(HELP);
  Deno.exit(0);
}
const targets = values.target ?? Object.keys(TARGETS);
const unknown = targets.find((name) => !(name in TARGETS));
if (unknown) {
  console.error(`--target: there is no ${unknown}; there are ${Object.keys(TARGETS).join(", ")}.`);
  Deno.exit(2);
}
if (Deno.env.get("DENORT_BIN") && targets.length !== 1) {
  console.error("DENORT_BIN is the runtime of one system: name the one --target that it is for.");
  Deno.exit(2);
}

const out = values.out ?? join(ROOT, "dist");
await Deno.mkdir(out, { recursive: true });
const commit = await readCommit(ROOT);
console.log(`restic-manager ${printed(commit)}`);
const sums: string[] = [];

for (const program of ["server", "agent"] as ProgramName[]) {
  const bundled = await bundleProgram(ROOT, program, commit);
  try {
    for (const target of targets) {
      const file = fileName(program, target);
      const path = join(out, file);
      await compileProgram({ program, target, bundled, path });
      await note(file);
      const startUp = await startUpMilliseconds(path, target);
      const { size } = await Deno.stat(path);
      const time = startUp === undefined ? "not run here" : `starts in ${startUp} ms`;
      console.log(`  ${file.padEnd(42)} ${(size / 1e6).toFixed(1).padStart(6)} MB  ${time}`);
    }
  } finally {
    await Deno.remove(bundled, { recursive: true });
  }
}
if (targets.includes("windows-x64")) {
  const problem = await stageNssm(join(out, "nssm.exe"));
  if (problem) console.warn(`  nssm.exe is left out: ${problem}`);
  else await note("nssm.exe");
}
await Deno.writeTextFile(join(out, "SHA256SUMS"), sums.sort(byName).join(""));

async function note(file: string): Promise<void> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(join(out, file)));
  sums.push(`${new Uint8Array(digest).toHex()}  ${file}\n`);
}

function byName(a: string, b: string): number {
  return a.slice(66) < b.slice(66) ? -1 : 1;
}
