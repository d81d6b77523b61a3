// How a machine without a token becomes a host: it announces its key, shows the fingerprint, and waits for as long as a
// person takes.
import { z } from "zod";
import {
  type AnnouncedMachine,
  fingerprintOf,
  PENDING_CLOSE,
  toBase64,
} from "../shared/announce.ts";
import { Backoff } from "../shared/backoff.ts";
import { PROTOCOL_VERSION } from "../shared/protocol.ts";
import { canBeReadOnTheWay, serverAddress } from "../shared/server_address.ts";
import { VERSION } from "../shared/version.ts";
import { forgetAnnouncement, saveAnnouncement } from "./announcement.ts";
import { type Asking, pause, post, RefusedForGood, Unanswered } from "./ask_server.ts";
import { acceptedLine, banner, rejectedLine } from "./banner.ts";
import { type Identity, openIdentity } from "./identity.ts";
import type { Log } from "../shared/log.ts";
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
  address_problem: z.string().max(1000).optional(),
});
type Answer = z.infer<typeof Answer>;

const ADDRESS_REFUSED =
  "The server refuses this machine's proof, because it is made for the address that was dialled and the server does not know that as its own. Set RM_BASE_URL on the server to that address (behind a port mapping, a proxy or a name it is needed), or RM_SERVER here to the server's own. If both are right, something in between hands on what this machine says.";
/** Beside the server's address. */
export const CAN_BE_READ =
  "the line is plain HTTP: all that goes over it can be read and changed on the way, the credential of this machine too. Use https.";

/** The server knows another agent by this key, or does not know the key: someone has to look. */
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
  saveAnnouncement(stateDir, { state: "asking", server, since: Date.now() }, log);
  const asking = new Approval(announcing, identity);
  try {
    const { host_id, name, bearer } = await asking.untilDecided();
    saveAgentFile(configDir, { server, host_id, bearer });
    forgetAnnouncement(stateDir, log);
    log.info(`Accepted: this machine is now host ${name} (${host_id}) of ${server}`);
    announcing.print(acceptedLine(name));
    return bearer;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RefusedForGood) {
      const { message: reason } = error;
      saveAnnouncement(stateDir, { state: "rejected", server, since: Date.now(), reason }, log);
      announcing.print(rejectedLine(reason));
    }
    throw error;
  }
}

class Approval {
  readonly #backoff: Backoff;
  #pendingId: string | undefined;
  #isShown = false;
  #machine: AnnouncedMachine | undefined;

  constructor(private readonly announcing: Announcing, private readonly identity: Identity) {
    this.#backoff = announcing.backoff ?? new Backoff(1000, 60_000);
  }

  async untilDecided() {
    const { log, signal } = this.announcing;
    for (;;) {
      let wait = this.#backoff.next();
      try {
        this.#pendingId ??= await this.#announce();
        const decision = await this.#wait(this.#pendingId, this.#machine!);
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
    const announced = this.#machine = {
      hostname,
      os: machine.os as AnnouncedMachine["os"],
      arch: machine.arch,
      agent_version: VERSION,
      restic_version: program?.version ?? null,
    };
    const result = Answer.safeParse(
      await post(this.announcing, "/api/agents/announce", {
        ...announced,
        public_key: toBase64(this.identity.publicKey),
        server: serverAddress(server),
        protocol: PROTOCOL_VERSION,
      }),
    );
    if (!result.success || result.data.fingerprint !== fingerprintOf(this.identity.publicKey)) {
      throw new Unanswered(`${server} does not answer as a restic-manager server does.`);
    }
    if (!this.#isShown) this.#show(hostname, result.data);
    return result.data.pending_id;
  }

  #show(hostname: string, answer: Answer): void {
    const { fingerprint, hostname_collision: hasCollision, address_problem } = answer;
    const { settings: { server, stateDir }, log, print } = this.announcing;
    this.#isShown = true;
    saveAnnouncement(stateDir, { state: "waiting", server, since: Date.now() }, log);
    const canBeRead = canBeReadOnTheWay(serverAddress(server)!);
    const addressProblem = address_problem && `${ADDRESS_REFUSED} (${address_problem})`;
    print(banner({ server, hostname, fingerprint, hasCollision, canBeRead, addressProblem }));
    if (canBeRead) log.warn(`${server}: ${CAN_BE_READ}`);
    log.info(`Waiting for approval at ${server} as ${hostname}, fingerprint ${fingerprint}`);
  }

  #wait(pendingId: string, machine: AnnouncedMachine): Promise<Decision> {
    const { settings: { server }, client, signal, log } = this.announcing;
    return waitForDecision({
      server,
      pendingId,
      identity: this.identity,
      machine,
      client,
      signal,
      onWaiting: () => {
        this.#backoff.reset();
        log.debug("The key is proven");
      },
    });
  }

  /** What the close means; returns how long to wait at least. */
  #closed({ code, reason }: { code: number; reason: string }): number {
    const { log, settings: { server } } = this.announcing;
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
    if (code === PENDING_CLOSE.otherServer) {
      log.error(`${server}: ${ADDRESS_REFUSED}`);
      return SLOW_MS;
    }
    log.warn(`Not connected (${reason}); still waiting for approval`);
    return code === PENDING_CLOSE.replaced || code === PENDING_CLOSE.badProof ? SLOW_MS : 0;
  }
}
