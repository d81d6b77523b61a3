// What is left of a repository whose config is gone. restic before 0.17 makes a new one over it, and every snapshot in
// it is lost; so nothing may be made where anything lies.
import type { ResticContext } from "./context.ts";
import { join } from "node:path";
import { isThere } from "../files.ts";
import { isAtLeast } from "./version.ts";

export interface Remains {
  /** A reason code for programs. */
  code: "damaged" | "needs_newer_restic" | "unreachable";
  /** Why no repository may be made there. */
  reason: string;
}

const FOLDERS = ["keys", "snapshots", "data", "index"];
const LIST_MS = 30_000;

/** Looks for remains of a repository; undefined when the place is free. */
export async function findRemains(context: ResticContext): Promise<Remains | undefined> {
  // From 0.17 on restic itself refuses where keys are.
  const isGuarded = isAtLeast(context.restic.version, "0.17.0");
  switch (context.url.backend) {
    case "local":
      return localRemains(context.url.url);
    case "rest":
      return await restRemains(context, isGuarded);
    default:
      if (isGuarded) return undefined;
      return {
        code: "needs_newer_restic",
        reason:
          `Making a repository on ${context.url.backend} needs restic 0.17 or newer on this host, because older ones can overwrite a damaged repository (here: ${context.restic.version}).`,
      };
  }
}

function localRemains(path: string): Remains | undefined {
  if (isThere(join(path, "config"))) return damaged(path, "a config");
  const found = FOLDERS.filter((folder) => holdsFiles(join(path, folder)));
  return found.length > 0 ? damaged(path, found.join(", ")) : undefined;
}

async function restRemains(
  context: ResticContext,
  isGuarded: boolean,
): Promise<Remains | undefined> {
  const base = context.url.url.slice("rest:".length).replace(/\/?$/, "/");
  const found: string[] = [];
  for (const folder of ["keys", "snapshots"]) {
    const answer = await listFolder(`${base}${folder}/`, context);
    if (answer === "unknown") {
      if (isGuarded) continue;
      const reason =
        `It could not be seen whether a repository's remains lie at ${context.url.url}, so nothing was made.`;
      return { code: "unreachable", reason };
    }
    if (answer === "filled") found.push(folder);
  }
  return found.length > 0 ? damaged(context.url.url, found.join(", ")) : undefined;
}

async function listFolder(
  url: string,
  context: ResticContext,
): Promise<"filled" | "empty" | "unknown"> {
  const { username, rest_password } = context.repository;
  const headers = new Headers({ accept: "application/vnd.x.restic.rest.v2" });
  if (username) {
    headers.set("authorization", `Basic ${base64(`${username}:${rest_password ?? ""}`)}`);
  }
  using client = context.repository.certificate_authority
    ? Deno.createHttpClient({ caCerts: [context.repository.certificate_authority] })
    : undefined;
  try {
    const answer = await fetch(url, {
      headers,
      client,
      redirect: "manual",
      signal: AbortSignal.timeout(LIST_MS),
    });
    const text = await answer.text();
    if (answer.status === 404) return "empty";
    if (!answer.ok) return "unknown";
    const list: unknown = JSON.parse(text || "[]");
    return Array.isArray(list) && list.length > 0 ? "filled" : "empty";
  } catch {
    return "unknown";
  }
}

function damaged(where: string, found: string): Remains {
  return {
    code: "damaged",
    reason:
      `There is ${found} at ${where} but no usable repository: this looks like a damaged repository, nothing was made.`,
  };
}

/** Whether there is a file in a folder or one level below it (data/00 … data/ff). */
function holdsFiles(folder: string): boolean {
  if (!isThere(folder)) return false;
  for (const entry of Deno.readDirSync(folder)) {
    if (!entry.isDirectory) return true;
    for (const _ of Deno.readDirSync(join(folder, entry.name))) return true;
  }
  return false;
}

function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
