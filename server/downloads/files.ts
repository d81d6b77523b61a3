// The files that a machine needs to join: the agent's programs and nssm.exe, as they were put beside the server's data or
// beside its own program. Their names are fixed, so that no request can name another file.
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { AppError } from "../errors.ts";
import type { Server } from "../server.ts";

export const NSSM = "nssm.exe";

/** The names under which `deno task build` makes the agent, by system and processor. */
const AGENTS = new Map(Object.entries({
  linux: new Map([
    ["x64", "restic-manager-agent-linux-x64"],
    ["arm64", "restic-manager-agent-linux-arm64"],
  ]),
  windows: new Map([["x64", "restic-manager-agent-windows-x64.exe"]]),
}));
const ARCH = new Map([
  ["x64", "x64"],
  ["amd64", "x64"],
  ["x86_64", "x64"],
  ["arm64", "arm64"],
  ["aarch64", "arm64"],
]);

export interface Download {
  name: string;
  path: string;
  size: number;
  /** Milliseconds since 1970. */
  modifiedAt: number;
}

/** Throws invalid for what is no system or processor, not_found when this server has no agent for it. */
export async function findAgentProgram(
  server: Server,
  os: string,
  arch: string,
): Promise<Download> {
  const bySystem = AGENTS.get(os.toLowerCase());
  if (!bySystem) throw new AppError("invalid", "os must be linux or windows.", "os");
  const processor = ARCH.get(arch.toLowerCase());
  if (!processor) {
    throw new AppError("invalid", "arch must be x64 (amd64) or arm64 (aarch64).", "arch");
  }
  const name = bySystem.get(processor);
  const found = name && await findFile(server, name);
  if (found) return found;
  const there = (await agentPrograms(server)).map(({ os, arch }) => `${os} ${arch}`);
  const list = there.length > 0 ? `It has: ${there.join(", ")}.` : "It has none yet.";
  throw new AppError("not_found", `This server has no agent for ${os} ${processor}. ${list}`);
}

/** Throws not_found. */
export async function findNssm(server: Server): Promise<Download> {
  const found = await findFile(server, NSSM);
  if (found) return found;
  throw new AppError(
    "not_found",
    // Where that is says the page for adding a host; a stranger has no need to know.
    `This server has no ${NSSM}: put it beside the agents' programs, in agent-binaries of its data folder.`,
  );
}

/** Those that there are. */
export async function agentPrograms(server: Server): Promise<{ os: string; arch: string }[]> {
  const there: { os: string; arch: string }[] = [];
  for (const [os, byArch] of AGENTS) {
    for (const [arch, name] of byArch) {
      if (await findFile(server, name)) there.push({ os, arch });
    }
  }
  return there;
}

/** The files without which the command for a system fails; any one of Linux's agents will do. */
export async function missingFiles(
  server: Server,
): Promise<{ folder: string; linux: string[]; windows: string[] }> {
  const absent = async (names: Iterable<string>) => {
    const found = await Promise.all([...names].map((name) => findFile(server, name)));
    return [...names].filter((_, n) => !found[n]);
  };
  const linux = [...AGENTS.get("linux")!.values()];
  const missing = await absent(linux);
  return {
    folder: folderOf(server),
    linux: missing.length === linux.length ? missing : [],
    windows: await absent([...AGENTS.get("windows")!.values(), NSSM]),
  };
}

export function folderOf({ settings }: Server): string {
  return join(settings.dataDir, "agent-binaries");
}

async function findFile(server: Server, name: string): Promise<Download | undefined> {
  const folders = [folderOf(server)];
  if (Deno.build.standalone) folders.push(dirname(Deno.execPath()));
  for (const folder of folders) {
    const path = join(folder, name);
    const info = await Deno.stat(path).catch(() => undefined);
    if (info?.isFile) {
      return { name, path, size: info.size, modifiedAt: info.mtime?.getTime() ?? 0 };
    }
  }
  return undefined;
}

const digests = new Map<string, Promise<string>>();

/** In hex; read once for as long as the file stays the same. */
export function sha256Of({ path, size, modifiedAt }: Download): Promise<string> {
  const key = `${path} ${size} ${modifiedAt}`;
  const known = digests.get(key);
  if (known) return known;
  // A handful of files, each replaced at an update.
  if (digests.size >= 20) digests.clear();
  const digest = readDigest(path);
  digests.set(key, digest);
  digest.catch(() => digests.delete(key));
  return digest;
}

async function readDigest(path: string): Promise<string> {
  const hash = createHash("sha256");
  // The stream closes the file at its end.
  const file = await Deno.open(path);
  for await (const part of file.readable) hash.update(part);
  return hash.digest("hex");
}
