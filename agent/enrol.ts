// How a machine with a one-time token becomes a host.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { Backoff } from "../shared/backoff.ts";
import { VERSION } from "../shared/version.ts";
import { type Asking, EnrolmentRefused, pause, post, Unanswered } from "./ask_server.ts";
import { makePrivateDirectory, readIfThere, removeIfThere, replaceFile } from "./files.ts";
import { keptAs, putAside } from "./state/aside.ts";
import type { Log } from "../shared/log.ts";
import { describeMachine } from "./machine.ts";
import type { ResticFinder } from "./restic/version.ts";
import { copyAgentFile, saveAgentFile, type Settings } from "./settings.ts";
import { hashOf, whatItIs } from "./token.ts";

export interface Enrolment extends Asking {
  settings: Settings & { server: string; token: string };
  log: Log;
  restic: ResticFinder;
  backoff?: Backoff;
}

const Answer = z.object({ host_id: z.string().min(1), bearer: z.string().min(1) });

/**
 * Asks until the server answers, stores what it gives in agent.yaml and returns the bearer. Throws EnrolmentRefused, or
 * the signal's reason.
 */
export async function enrol(enrolment: Enrolment): Promise<string> {
  const { settings, log } = enrolment;
  const body = await describe(enrolment);
  // Both show before the token is burnt whether agent.yaml can be written.
  const before = settings.bearer ? copyAgentFile(settings.configDir) : undefined;
  if (!before) saveAgentFile(settings.configDir, { server: settings.server });
  try {
    const { host_id, bearer } = await untilAnswered(enrolment, body);
    saveAgentFile(settings.configDir, {
      server: settings.server,
      host_id,
      bearer,
      token_used: hashOf(settings),
      token_refused: undefined,
    });
    removeIfThere(keyPath(settings.stateDir));
    log.info(
      before
        ? `This machine was ${
          whatItIs(settings)
        }; now it is host ${host_id} of ${settings.server}. Its agent.yaml of before is ${before}`
        : `This machine is now host ${host_id} of ${settings.server}`,
    );
    return bearer;
  } catch (error) {
    if (before) removeIfThere(before);
    throw error;
  }
}

/** The socket of an agent that has just ended may still count as connected. */
const CONFLICT_MS = 5000;

async function untilAnswered(enrolment: Enrolment, body: unknown) {
  const { log, signal, backoff = new Backoff(1000, 60_000) } = enrolment;
  const begun = performance.now();
  for (;;) {
    try {
      return await ask(enrolment, body);
    } catch (error) {
      signal.throwIfAborted();
      const isConflict = error instanceof EnrolmentRefused && error.code === "conflict" &&
        performance.now() - begun < CONFLICT_MS;
      if (!isConflict && !(error instanceof Unanswered)) throw error;
      const wait = Math.max(backoff.next(), error instanceof Unanswered ? error.afterMs : 0);
      log.warn(`${error.message} Trying again in ${(wait / 1000).toFixed(1)} s`);
      await pause(wait, signal);
    }
  }
}

async function describe({ settings, restic, log }: Enrolment) {
  const { hostname, os, arch } = describeMachine();
  const program = await restic.find().catch(() => undefined);
  return {
    token: settings.token,
    hostname,
    os,
    arch,
    agent_version: VERSION,
    restic_version: program?.version ?? null,
    enrolment_key: enrolmentKey(settings.stateDir, log),
  };
}

async function ask(enrolment: Enrolment, body: unknown) {
  const result = Answer.safeParse(await post(enrolment, "/api/agents/enroll", body));
  if (result.success) return result.data;
  const { server } = enrolment.settings;
  throw new Unanswered(`${server} does not answer as a restic-manager server does.`);
}

/**
 * The same on every try until one succeeds: a server that burnt the token and died before it answered knows by it who
 * asks again.
 */
function enrolmentKey(stateDir: string, log: Log): string {
  const path = keyPath(stateDir);
  const stored = storedKey(path);
  if (stored) return stored;
  const aside = putAside(path);
  if (aside) {
    log.warn(`${path} was damaged; ${keptAs(path, aside)}. The token is tried with a new one`);
  }
  const key = randomBytes(32).toString("hex");
  makePrivateDirectory(stateDir);
  replaceFile(path, key);
  return key;
}

function storedKey(path: string): string | undefined {
  try {
    const text = new TextDecoder().decode(readIfThere(path));
    return /^[0-9a-f]{64}$/.test(text) ? text : undefined;
  } catch {
    // It is put aside with the reason for the new one.
    return undefined;
  }
}

function keyPath(stateDir: string): string {
  return join(stateDir, "enrolment.key");
}
