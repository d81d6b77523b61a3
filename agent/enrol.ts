// How a machine with a one-time token becomes a host.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { Backoff } from "../shared/backoff.ts";
import { VERSION } from "../shared/version.ts";
import {
  CorruptFile,
  makePrivateDirectory,
  readIfThere,
  removeIfThere,
  replaceFile,
} from "./files.ts";
import { type Log, messageOf } from "./log.ts";
import { describeMachine } from "./machine.ts";
import type { ResticFinder } from "./restic/version.ts";
import { saveAgentFile, type Settings } from "./settings.ts";

/** The server will not take this machine; trying again does not help. */
export class EnrolmentRefused extends Error {
  override name = "EnrolmentRefused";
}

export interface Enrolment {
  settings: Settings & { server: string; token: string };
  log: Log;
  client?: Deno.HttpClient;
  restic: ResticFinder;
  backoff?: Backoff;
  /** Ends the tries. */
  signal: AbortSignal;
}

const Answer = z.object({ host_id: z.string().min(1), bearer: z.string().min(1) });
const REQUEST_MS = 30_000;

/**
 * Asks until the server answers, stores what it gives in agent.yaml and returns the bearer. Throws EnrolmentRefused, or
 * the signal's reason.
 */
export async function enrol(enrolment: Enrolment): Promise<string> {
  const { settings, log, signal } = enrolment;
  const backoff = enrolment.backoff ?? new Backoff(1000, 60_000);
  const body = JSON.stringify(await describe(enrolment));
  // Shows before the token is burnt whether agent.yaml can be written.
  saveAgentFile(settings.configDir, { server: settings.server });
  for (;;) {
    try {
      const { host_id, bearer } = await ask(enrolment, body);
      saveAgentFile(settings.configDir, { server: settings.server, host_id, bearer });
      removeIfThere(keyPath(settings.stateDir));
      log.info(`This machine is now host ${host_id} of ${settings.server}`);
      return bearer;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Unanswered)) throw error;
      const wait = backoff.next();
      log.warn(`${error.message} Trying again in ${(wait / 1000).toFixed(1)} s`);
      await pause(wait, signal);
    }
  }
}

/** The server gave no answer that counts; it may give one later. */
class Unanswered extends Error {}

async function describe({ settings, restic }: Enrolment) {
  const { hostname, os, arch } = describeMachine();
  const program = await restic.find().catch(() => undefined);
  return {
    token: settings.token,
    hostname,
    os,
    arch,
    agent_version: VERSION,
    restic_version: program?.version ?? null,
    enrolment_key: enrolmentKey(settings.stateDir),
  };
}

async function ask({ settings, client, signal }: Enrolment, body: string) {
  const answer = await fetch(`${settings.server}/api/agents/enroll`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    // A redirect would hand the token to whoever it names.
    redirect: "manual",
    client,
    signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]),
  } as RequestInit).catch((error) => {
    throw new Unanswered(`${settings.server} cannot be reached (${messageOf(error)}).`);
  });
  const text = await answer.text().catch(() => "");
  if (answer.status >= 300 && answer.status < 400) {
    throw new EnrolmentRefused(
      `${settings.server} redirects to ${
        answer.headers.get("location")
      }. Set RM_SERVER to the server's own address.`,
    );
  }
  const value = parse(text);
  if (answer.status >= 500 || answer.status === 429) {
    throw new Unanswered(`${settings.server} answers ${answer.status}.`);
  }
  if (!answer.ok) throw new EnrolmentRefused(refusal(value, answer.status));
  const result = Answer.safeParse(value);
  if (!result.success) {
    throw new Unanswered(`${settings.server} does not answer as a restic-manager server does.`);
  }
  return result.data;
}

/**
 * The same on every try until one succeeds: a server that burnt the token and died before it answered knows by it who
 * asks again.
 */
function enrolmentKey(stateDir: string): string {
  const path = keyPath(stateDir);
  const stored = readIfThere(path);
  if (stored) {
    const text = new TextDecoder().decode(stored);
    if (!/^[0-9a-f]{64}$/.test(text)) throw new CorruptFile(path, "is not an enrolment key");
    return text;
  }
  const key = randomBytes(32).toString("hex");
  makePrivateDirectory(stateDir);
  replaceFile(path, key);
  return key;
}

function keyPath(stateDir: string): string {
  return join(stateDir, "enrolment.key");
}

function refusal(value: unknown, status: number): string {
  const message = (value as { error?: { message?: unknown } } | undefined)?.error?.message;
  const said = typeof message === "string" ? message.slice(0, 500) : `status ${status}`;
  return `The server refused to enrol this machine: ${said}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
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
