// The sealed copy of what this host is to do: the server's last word, kept so that the agent can work alone.
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import {
  type ConfigUpdate,
  type ServerMessage,
  ServerMessage as Messages,
} from "../shared/protocol.ts";
import { CorruptFile, readIfThere, replaceFile } from "./files.ts";
import { type Log, messageOf } from "./log.ts";

export type ScheduleSet = Extract<ServerMessage, { type: "schedule.set" }>;

const PURPOSE = "restic-manager plan 1";
const Stored = z.object({
  config: Messages.optional(),
  schedule: Messages.optional(),
});

export class Plan {
  config: ConfigUpdate | undefined;
  schedule: ScheduleSet | undefined;
  readonly #path: string;
  readonly #keyPath: string;

  /** Opens the plan of a state directory; what cannot be opened is put aside and named in the log. */
  constructor(stateDir: string, private readonly log: Log) {
    this.#path = join(stateDir, "plan.sealed");
    this.#keyPath = join(stateDir, "plan.key");
    try {
      this.#load();
    } catch (error) {
      this.log.error(`${messageOf(error)} The server's next plan replaces it.`);
      for (const path of [this.#path, this.#keyPath]) putAside(path);
    }
  }

  /** The version of the plan that is held; 0 for none. */
  get version(): number {
    return this.schedule?.schedule_version ?? 0;
  }

  setConfig(config: ConfigUpdate): void {
    if (isSame(this.config, config)) return;
    this.config = config;
    this.#save();
  }

  setSchedule(schedule: ScheduleSet): void {
    if (isSame(this.schedule, schedule)) return;
    this.schedule = schedule;
    this.#save();
  }

  #load(): void {
    const sealed = readIfThere(this.#path);
    if (!sealed) return;
    const key = this.#readKey();
    if (!key) {
      throw new CorruptFile(this.#path, `cannot be opened: its key ${this.#keyPath} is gone`);
    }
    let stored: z.infer<typeof Stored>;
    try {
      stored = Stored.parse(JSON.parse(open(sealed, key)));
    } catch {
      throw new CorruptFile(this.#path, "cannot be opened: it or its key is damaged");
    }
    if (stored.config?.type === "config.update") this.config = stored.config;
    if (stored.schedule?.type === "schedule.set") this.schedule = stored.schedule;
  }

  #save(): void {
    try {
      let key = this.#readKey();
      if (!key) {
        key = randomBytes(32);
        replaceFile(this.#keyPath, key);
      }
      const text = JSON.stringify({ config: this.config, schedule: this.schedule });
      replaceFile(this.#path, seal(text, key));
    } catch (error) {
      this.log.error(`The plan could not be stored: ${messageOf(error)}`);
    }
  }

  #readKey(): Uint8Array | undefined {
    const key = readIfThere(this.#keyPath);
    if (key && key.length !== 32) throw new CorruptFile(this.#keyPath, "is not a key of 32 bytes");
    return key;
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
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
  decipher.setAAD(new TextEncoder().encode(PURPOSE));
  decipher.setAuthTag(bytes.subarray(12, 28));
  return decipher.update(bytes.subarray(28), undefined, "utf8") + decipher.final("utf8");
}

/** Renames to the first free name ….bad-1, ….bad-2, so that nothing is overwritten. */
function putAside(path: string): void {
  if (!readIfThere(path)) return;
  for (let n = 1;; n++) {
    const aside = `${path}.bad-${n}`;
    if (readIfThere(aside)) continue;
    Deno.renameSync(path, aside);
    return;
  }
}
