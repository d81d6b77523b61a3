// What folders and archives hold, as another language's readers see it.
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("archives.py", import.meta.url));

/** The path in hex, what it is, its mode, its seconds since 1970, and the SHA-256 of a file or the target of a link in hex. */
export type Held = [path: string, type: string, mode: number, seconds: number, what: string];

export async function heldIn(kind: "folder" | "tar" | "zip", path: string): Promise<Held[]> {
  const { code, stdout, stderr } = await new Deno.Command("python3", {
    args: [SCRIPT, kind, path],
    env: { PYTHONDONTWRITEBYTECODE: "1", LC_ALL: "C.UTF-8" },
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

export function hexOf(text: string): string {
  return new TextEncoder().encode(text).toHex();
}
