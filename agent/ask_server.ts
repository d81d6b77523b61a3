// One question to the server before there is a bearer, and what its answer means for trying again.
import { messageOf } from "../shared/log.ts";
import type { Settings } from "./settings.ts";

/** The server will not take this machine now; someone has to change something first. */
export class EnrolmentRefused extends Error {
  override name = "EnrolmentRefused";
  /** The server's word for it, where it gave one. */
  constructor(message: string, readonly code?: string) {
    super(message);
  }
}

/** The server will not take this machine, and asking again is not wanted: exit code 7. */
export class RefusedForGood extends Error {
  override name = "RefusedForGood";
}

/** The server gave no answer that counts; it may give one later. */
export class Unanswered extends Error {
  constructor(message: string, readonly afterMs = 0) {
    super(message);
  }
}

export interface Asking {
  settings: Settings & { server: string };
  client?: Deno.HttpClient;
  /** Ends the tries. */
  signal: AbortSignal;
}

const REQUEST_MS = 30_000;
const LONGEST_WAIT_MS = 600_000;

/** The answer's JSON. Throws Unanswered, EnrolmentRefused or RefusedForGood, each with the server's sentence where it gave one. */
export async function post({ settings, client, signal }: Asking, path: string, body: unknown) {
  const { server } = settings;
  const answer = await fetch(`${server}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    // A redirect would hand a token to whoever it names.
    redirect: "manual",
    client,
    signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]),
  } as RequestInit).catch((error) => {
    throw new Unanswered(`${server} cannot be reached (${messageOf(error)}).`);
  });
  const value = parse(await answer.text().catch(() => ""));
  if (answer.ok) return value;
  const { status, headers } = answer;
  if (status >= 300 && status < 400) {
    throw new EnrolmentRefused(
      `${server} redirects to ${
        headers.get("location")
      }. Set RM_SERVER to the server's own address.`,
    );
  }
  const { code, message } = errorIn(value);
  // Without a code of ours it is not the server that answers, but something on the way to it.
  if (status >= 500 || status === 429 || !code) {
    const seconds = Number(headers.get("retry-after")) || 0;
    throw new Unanswered(
      `${server} answers ${status}${message ? `: ${message}` : "."}`,
      Math.min(seconds * 1000, LONGEST_WAIT_MS),
    );
  }
  const sentence = `The server refused to enrol this machine: ${message ?? code}`;
  if (code === "rejected" || code === "agent_too_old") throw new RefusedForGood(sentence);
  throw new EnrolmentRefused(sentence, code);
}

/**
 * Whether a server knows an agent by its bearer: it answers 401 to none but strangers, before it minds that this is no
 * WebSocket. Throws Unanswered.
 */
export async function isKnownBy(asking: Asking, bearer: string): Promise<boolean> {
  const { settings: { server }, client, signal } = asking;
  const answer = await fetch(`${server}/ws/agent`, {
    headers: { authorization: `Bearer ${bearer}` },
    redirect: "manual",
    client,
    signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]),
  } as RequestInit).catch((error) => {
    throw new Unanswered(`${server} cannot be reached (${messageOf(error)}).`);
  });
  const { code } = errorIn(parse(await answer.text().catch(() => "")));
  if (code === "unauthorized") return false;
  if (code === "bad_request") return true;
  throw new Unanswered(`${server} does not answer as a restic-manager server does.`);
}

/** Rejects with the signal's reason when that comes first. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal.addEventListener("abort", abort, { once: true });
  });
}

function errorIn(value: unknown): { code: string | undefined; message: string | undefined } {
  const error = (value as { error?: { code?: unknown; message?: unknown } } | undefined)?.error;
  const text = (given: unknown) => typeof given === "string" ? given.slice(0, 500) : undefined;
  return { code: text(error?.code), message: text(error?.message) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
