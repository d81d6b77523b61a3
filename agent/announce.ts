// How a machine without a token becomes a host: it announces its key, shows the fingerprint, and waits for as long as a
// person takes.
import { z } from "zod";
import { fingerprintOf, PENDING_CLOSE, toBase64 } from "../shared/announce.ts";
import { Backoff } from "../shared/backoff.ts";
import { PROTOCOL_VERSION } from "../shared/protocol.ts";
import { VERSION } from "../shared/version.ts";
import { forgetAnnouncement, saveAnnouncement } from "./announcement.ts";
import { type Asking, pause, post, RefusedForGood, Unanswered } from "./ask_server.ts";
import { acceptedLine, banner, rejectedLine } from "./banner.ts";
import { type Identity, openIdentity } from "./identity.ts";
import type { Log } from "./log.ts";
import { announcedName, describeMachine } from "./machine.ts";
import type { ResticFinder } from "./restic/version.ts";
import { saveAgentFile } from "./settings.ts";
import { type Decision, waitForDecision } from "./waiting.ts";

export interface Announcing extends Asking {
  log: Log;
  restic: ResticFinder;
  /** What a person in front of the machine reads. */
  print: (text: string) => void;
  backoff?: Backoff;
}

const Answer = z.object({
  fingerprint: z.string(),
  pending_id: z.string().min(1).max(100).regex(/^[\w-]+$/),
  hostname_collision: z.boolean(),
});
type Answer = z.infer<typeof Answer>;

/** The server knows another agent by this key, or does not know the key: somebody has to look. */
const SLOW_MS = 60_000;

/**
 * Asks until an admin has decided; stores what the server gives in agent.yaml and returns the bearer. Throws RefusedForGood,
 * EnrolmentRefused, CorruptFile for a key that cannot be used, or the signal's reason.
 */
export async function announce(announcing: Announcing): Promise<string> {
  const { settings: { configDir, stateDir, server }, log, signal } = announcing;
  const identity = openIdentity(stateDir);
  // Shows before anybody accepts whether agent.yaml can be written.
  saveAgentFile(configDir, { server });
  saveAnnouncement(stateDir, { state: "asking", server, since: Date.now() });
  const asking = new Approval(announcing, identity);
  try {
    const { host_id, name, bearer } = await asking.untilDecided();
    saveAgentFile(configDir, { server, host_id, bearer });
    forgetAnnouncement(stateDir);
    log.info(`Accepted: this machine is now host ${name} (${host_id}) of ${server}`);
    announcing.print(acceptedLine(name));
    return bearer;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RefusedForGood) {
      const { message: reason } = error;
      saveAnnouncement(stateDir, { state: "rejected", server, since: Date.now(), reason });
      announcing.print(rejectedLine(reason));
    }
    throw error;
  }
}

class Approval {
  readonly #backoff: Backoff;
  #pendingId: string | undefined;
  #isShown = false;

  constructor(private readonly announcing: Announcing, private readonly identity: Identity) {
    this.#backoff = announcing.backoff ?? new Backoff(1000, 60_000);
  }

  async untilDecided() {
    const { log, signal } = this.announcing;
    for (;;) {
      let wait = this.#backoff.next();
      try {
        this.#pendingId ??= await this.#announce();
        const decision = await this.#wait(this.#pendingId);
        if (decision.enrolled) return decision.enrolled;
        wait = Math.max(wait, this.#closed(decision));
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof Unanswered)) throw error;
        wait = Math.max(wait, error.afterMs);
        log.warn(`${error.message} Trying again in ${(wait / 1000).toFixed(1)} s`);
      }
      await pause(wait, signal);
    }
  }

  async #announce(): Promise<string> {
    const { settings: { server }, restic } = this.announcing;
    const machine = describeMachine();
    const program = await restic.find().catch(() => undefined);
    const hostname = announcedName(machine.hostname);
    const result = Answer.safeParse(
      await post(this.announcing, "/api/agents/announce", {
        hostname,
        os: machine.os,
        arch: machine.arch,
        agent_version: VERSION,
        restic_version: program?.version ?? null,
        public_key: toBase64(this.identity.publicKey),
        protocol: PROTOCOL_VERSION,
      }),
    );
    if (!result.success || result.data.fingerprint !== fingerprintOf(this.identity.publicKey)) {
      throw new Unanswered(`${server} does not answer as a restic-manager server does.`);
    }
    if (!this.#isShown) this.#show(hostname, result.data);
    return result.data.pending_id;
  }

  #show(hostname: string, { fingerprint, hostname_collision }: Answer): void {
    const { settings: { server, stateDir }, log, print } = this.announcing;
    this.#isShown = true;
    saveAnnouncement(stateDir, { state: "waiting", server, since: Date.now() });
    print(banner({ server, hostname, fingerprint, hasCollision: hostname_collision }));
    log.info(`Waiting for approval at ${server} as ${hostname}, fingerprint ${fingerprint}`);
  }

  #wait(pendingId: string): Promise<Decision> {
    const { settings: { server }, client, signal, log } = this.announcing;
    return waitForDecision({
      server,
      pendingId,
      identity: this.identity,
      client,
      signal,
      onWaiting: () => {
        this.#backoff.reset();
        log.debug("The key is proven");
      },
    });
  }

  /** What the close means; answers how long to wait at least. */
  #closed({ code, reason }: { code: number; reason: string }): number {
    const { log } = this.announcing;
    if (code === PENDING_CLOSE.rejected) {
      throw new RefusedForGood(
        "An admin rejected this machine. It does not ask again until the agent is started anew.",
      );
    }
    if (code === PENDING_CLOSE.expired) {
      this.#pendingId = undefined;
      log.info("The server does not wait for this machine any more; announcing it again");
      return 0;
    }
    log.warn(`Not connected (${reason}); still waiting for approval`);
    return code === PENDING_CLOSE.replaced || code === PENDING_CLOSE.badProof ? SLOW_MS : 0;
  }
}
