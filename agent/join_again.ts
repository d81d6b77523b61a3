// A machine that is a host already, and a person who says something newer: a token that it has not seen, or another server.
import { type Asking, EnrolmentRefused, RefusedForGood } from "./ask_server.ts";
import { enrol } from "./enrol.ts";
import type { Log } from "../shared/log.ts";
import type { ResticFinder } from "./restic/version.ts";
import { saveAgentFile, type Settings } from "./settings.ts";
import { noteOwner } from "./state_owner.ts";
import { hashOf, whatItIs } from "./token.ts";

/** Backups wait for no server: a token that nobody takes in this time is for the next start. */
export const ANSWER_WITHIN_MS = 30_000;

export type Again =
  | { outcome: "joined"; bearer: string }
  /** It stays what it was; the sentence says why. */
  | { outcome: "refused" | "unanswered"; sentence: string };

export interface JoiningAgain extends Asking {
  settings: Settings & { server: string; token: string };
  log: Log;
  restic: ResticFinder;
  withinMs?: number;
}

/** Tries a new token on a machine that is enrolled. Throws CorruptFile, what the disk says, or the signal's reason. */
export async function joinAgain(joining: JoiningAgain): Promise<Again> {
  const { settings, log, signal, withinMs = ANSWER_WITHIN_MS } = joining;
  const { configDir, stateDir, hostId, server } = settings;
  log.info(`A new token was given: this machine, ${whatItIs(settings)}, asks ${server} to join`);
  noteOwner(stateDir, hostId);
  const tooLong = AbortSignal.timeout(withinMs);
  const stays = `This machine stays ${whatItIs(settings)}.`;
  try {
    const bearer = await enrol({ ...joining, signal: AbortSignal.any([signal, tooLong]) });
    return { outcome: "joined", bearer };
  } catch (error) {
    signal.throwIfAborted();
    if (tooLong.aborted) {
      const seconds = Math.round(withinMs / 1000);
      return {
        outcome: "unanswered",
        sentence:
          `${server} did not answer within ${seconds} s, so the token was not used. ${stays}`,
      };
    }
    if (!(error instanceof EnrolmentRefused) && !(error instanceof RefusedForGood)) throw error;
    // Such a token never becomes good again; what else is in the way may go away.
    if (error instanceof EnrolmentRefused && error.code === "unauthorized") {
      saveAgentFile(configDir, { token_refused: hashOf(settings) });
    }
    return { outcome: "refused", sentence: `${error.message} ${stays}` };
  }
}
