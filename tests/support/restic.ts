// The restics for tests that run once per version.
import { join } from "node:path";
import { leaveOut } from "./left_out.ts";

export interface RealRestic {
  path: string;
  version: string;
}

const CANDIDATES = [
  Deno.env.get("RM_TEST_RESTIC"),
  ...(Deno.env.get("PATH") ?? "").split(":").map((directory) => join(directory, "restic")),
  Deno.env.get("RM_TEST_RESTIC_018"),
  join(Deno.env.get("HOME") ?? "/root", ".cache/restic-0.18/restic"),
];
const WANTED = ["0.14", "0.18"];

export const restics: RealRestic[] = findRestics();

/** Any restic will do. */
export function anyRestic(): RealRestic | undefined {
  return restics[0];
}

function findRestics(): RealRestic[] {
  const found = new Map<string, RealRestic>();
  for (const path of CANDIDATES) {
    const version = path && versionOf(path);
    if (!version) continue;
    const row = version.split(".").slice(0, 2).join(".");
    if (!found.has(row)) found.set(row, { path, version });
  }
  for (const row of WANTED.filter((row) => !found.has(row))) {
    leaveOut(`the rows with restic ${row}`, `restic ${row} is neither on PATH nor prepared`);
  }
  return [...found.values()];
}

function versionOf(path: string): string | undefined {
  try {
    const { stdout } = new Deno.Command(path, { args: ["version"], stderr: "null" }).outputSync();
    return /^restic (\d+\.\d+\.\d+)/.exec(new TextDecoder().decode(stdout))?.[1];
  } catch {
    return undefined;
  }
}

/** Runs a real restic by hand; rejects when it fails. */
export async function resticByHand(
  restic: RealRestic,
  repository: string,
  args: string[],
  password = "secret-of-the-repository",
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(restic.path, {
    args,
    env: { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: password },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (code !== 0) throw new Error(`restic ${args.join(" ")}: ${code} ${decode(stderr)}`);
  return decode(stdout);
}

const templates = new Map<string, string>();
globalThis.addEventListener("unload", () => {
  for (const path of templates.values()) Deno.removeSync(path, { recursive: true });
});

/** Puts an empty repository at a path. It is made once per version and copied, since making one takes seconds. */
export async function placeRepository(restic: RealRestic, path: string): Promise<void> {
  let template = templates.get(restic.path);
  if (!template) {
    template = Deno.makeTempDirSync({ prefix: "rm-repository-" });
    templates.set(restic.path, template);
    await resticByHand(restic, template, ["init"]);
  }
  await new Deno.Command("cp", { args: ["-r", template, path] }).output();
}
