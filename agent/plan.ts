// The sealed copy of what this host is to do: the server's last word, kept so that the agent can work alone.
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import {
  type ConfigUpdate,
  type ServerMessage,
  ServerMessage as Messages,
} from "../shared/protocol.ts";
import { readIfThere } from "./files.ts";
import { NotWhole, type StateFolder } from "./state/folder.ts";
import { renamedPlan } from "./state/protocol_1.ts";

export type PlanSet = Extract<ServerMessage, { type: "plan.set" }>;

const PURPOSE = "restic-manager plan 1";
const Stored = z.object({
  config: Messages.optional(),
  schedule: Messages.optional(),
});

const FILE = "plan.sealed";
const KEY_FILE = "plan.key";

export class Plan {
  config: ConfigUpdate | undefined;
  schedule: PlanSet | undefined;
  #key: Uint8Array | undefined;

  /** Opens the plan of a state folder; what cannot be opened is put aside, and the server's next plan replaces it. Never throws. */
  constructor(private readonly folder: StateFolder) {
    const { value: key, damage: keyDamage } = folder.read(KEY_FILE, asKey);
    const { value: stored, damage } = folder.read(FILE, (sealed) => storedIn(sealed, key));
    if (stored?.config?.type === "config.update") this.config = stored.config;
    if (stored?.schedule?.type === "plan.set") this.schedule = stored.schedule;
    // A key that opened nothing may be the damaged one of the two.
    if (damage && key) folder.setAside(KEY_FILE);
    else this.#key = key;
    const found = damage ?? keyDamage;
    if (!found) return;
    folder.problems.happened(
      `${found.what}. Until the server has sent the plan again nothing is started by schedule.`,
      found.aside,
    );
  }

  /** The version of the plan that is held; 0 for none. */
  get version(): number {
    return this.schedule?.plan_version ?? 0;
  }

  setConfig(config: ConfigUpdate): void {
    if (isSame(this.config, config)) return;
    this.config = config;
    this.#save();
  }

  setSchedule(schedule: PlanSet): void {
    if (isSame(this.schedule, schedule)) return;
    this.schedule = schedule;
    this.#save();
  }

  #save(): void {
    if (!this.#key) {
      this.#key = randomBytes(32);
      this.folder.write(KEY_FILE, this.#key);
    }
    const text = JSON.stringify({ config: this.config, schedule: this.schedule });
    this.folder.write(FILE, seal(text, this.#key));
  }
}

/**
 * What the plan in a state folder says, without touching it: an agent may be at work there. undefined where there is none. Throws
 * NotWhole, or what reading threw.
 */
export function peekConfig(stateDir: string): ConfigUpdate | undefined {
  const sealed = readIfThere(join(stateDir, FILE));
  if (!sealed) return undefined;
  const key = readIfThere(join(stateDir, KEY_FILE));
  const { config } = storedIn(sealed, key && asKey(key));
  return config?.type === "config.update" ? config : undefined;
}

function asKey(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== 32) throw new NotWhole("is not a key of 32 bytes");
  return bytes;
}

function storedIn(sealed: Uint8Array, key: Uint8Array | undefined): z.infer<typeof Stored> {
  if (!key) throw new NotWhole(`cannot be opened: its key ${KEY_FILE} is gone or damaged`);
  try {
    return Stored.parse(renamedPlan(JSON.parse(open(sealed, key))));
  } catch {
    throw new NotWhole("cannot be opened: it or its key is damaged");
  }
}

/** The server repeats its plan at every connect; that is no reason to write it again. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** AES-256-GCM: 12 bytes of nonce, 16 of tag, then the sealed text. */
function seal(text: string, key: Uint8Array): Uint8Array {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(new TextEncoder().encode(PURPOSE));
  const sealed = new Uint8Array([...cipher.update(text, "utf8"), ...cipher.final()]);
  return new Uint8Array([...nonce, ...cipher.getAuthTag(), ...sealed]);
}

function open(bytes: Uint8Array, key: Uint8Array): string {
  if (bytes.length < 28) throw new Error("shorter than a nonce and a tag");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
  decipher.setAAD(new TextEncoder().encode(PURPOSE));
  decipher.setAuthTag(bytes.subarray(12, 28));
  return decipher.update(bytes.subarray(28), undefined, "utf8") + decipher.final("utf8");
}
