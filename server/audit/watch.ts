// Keeps the head file (head_file.ts) up to date with what was committed, and notices when rows that it knows are gone.
import type { Database } from "../database/open.ts";
import type { Log } from "../../shared/log.ts";
import { chainOldRows, followChain, registerChain } from "./chain.ts";
import {
  type Head,
  type HeadFound,
  NO_ROWS,
  readHead,
  whileHeadIsOurs,
  writeHead,
} from "./head_file.ts";

export const AUDIT_KEY = "audit chain";

interface Wiring {
  database: Database;
  dataDir: string;
  key: Uint8Array;
  log: Log;
  now(): number;
}

export class AuditWatch {
  #isBehind = false;
  #running: Promise<void> | undefined;
  /** The last head that this process saw. */
  #head: Head | undefined;
  /** A row that was added where the head has one already: from there on the tail was cut off. */
  #firstAgain: number | undefined;
  #logged: string | undefined;

  private constructor(private readonly wiring: Wiring) {}

  /** Begins the chain where there is none, and holds the database against the head file. */
  static async open(wiring: Wiring): Promise<AuditWatch> {
    const watch = new AuditWatch(wiring);
    registerChain(wiring.database.sqlite, wiring.key, (id) => watch.#onNext(id));
    await watch.#begin();
    await watch.check();
    return watch;
  }

  /** What is known to be wrong, for people; null: nothing is. */
  get fault(): Head["fault"] {
    return this.#head?.fault ?? null;
  }

  /** Resolves when the head file covers all that was committed before the call, or could not be written. */
  async settled(): Promise<void> {
    while (this.#running || this.#isBehind) {
      this.#running ??= this.#update();
      await this.#running;
    }
  }

  /** As `settled`, also when this process added nothing. */
  async check(): Promise<void> {
    this.#isBehind = true;
    await this.settled();
  }

  /** An admin says that an older copy of the database was put back: what is there now is what is watched from here on. */
  async startAfresh(): Promise<void> {
    const { database, dataDir, key } = this.wiring;
    await whileHeadIsOurs(dataDir, async () => {
      const { rows, id, mac } = await database.db.connection()
        .execute(() => Promise.resolve(followChain(database.sqlite)));
      await database.flush();
      this.#head = { rows, id, mac: mac?.toHex() ?? "", fault: null };
      await writeHead(dataDir, key, this.#head);
    });
    this.#logged = undefined;
  }

  #onNext(id: number): void {
    if (this.#head && id <= this.#head.id) this.#firstAgain ??= id;
    this.#isBehind = true;
    // The row is not committed yet: reading waits for the end of its transaction.
    Promise.resolve().then(() => this.settled());
  }

  /** A kill at any point is harmless: only the commit of the last step ends it. */
  async #begin(): Promise<void> {
    const { database, dataDir, key, now } = this.wiring;
    if (await database.db.selectFrom("audit_chain").select("begun_at").executeTakeFirst()) return;
    await whileHeadIsOurs(dataDir, async () => {
      const found = await readHead(dataDir, key);
      // A head that counts rows is of a chain that was begun: whoever says otherwise changed the database.
      if (found !== "missing" && (found === "changed" || found.rows > 0)) return;
      await writeHead(dataDir, key, NO_ROWS);
      await database.raw((sqlite) => {
        const begun =
          "select 1 from audit_chain union all select 1 from audit where mac is not null";
        if (sqlite.prepare(begun).get()) return;
        chainOldRows(sqlite);
        sqlite.prepare("insert into audit_chain (begun_at) values (?)").run(now());
      });
    });
  }

  async #update(): Promise<void> {
    const { database, dataDir, key, log } = this.wiring;
    this.#isBehind = false;
    try {
      await whileHeadIsOurs(dataDir, async () => {
        const found = await readHead(dataDir, key);
        const head = await this.#look(found);
        if (typeof found === "string" || JSON.stringify(found) !== JSON.stringify(head)) {
          await database.flush();
          await writeHead(dataDir, key, head);
        }
        this.#head = head;
      });
      this.#firstAgain = undefined;
      this.#tell();
    } catch (error) {
      log.error(`The head of the audit could not be written beside the database: ${error}`);
    } finally {
      this.#running = undefined;
    }
  }

  async #look(found: HeadFound): Promise<Head> {
    const { database, now } = this.wiring;
    return await database.db.connection().execute(() => {
      const { sqlite } = database;
      const head = typeof found === "string" ? NO_ROWS : found;
      const at = sqlite.prepare("select mac from audit where id = ?").get(head.id) as
        | { mac: Uint8Array | null }
        | undefined;
      const isThere = head.id === 0 || at?.mac?.toHex() === head.mac;
      const wrong = typeof found === "string"
        ? { id: 1, what: `cannot be held against the file audit-head.json, which was ${found}` }
        : isThere
        ? undefined
        : { id: this.#cutAt(head.id), what: "is missing, or was put in the place of another" };
      // What is in the database now is watched from here on, also when something is wrong with what was before.
      const from = isThere ? { id: head.id, mac: at?.mac ?? null } : { id: 0, mac: null };
      const end = followChain(sqlite, from);
      const last = end.wrong
        ? lastRow(sqlite)
        : { ...end, rows: (isThere ? head.rows : 0) + end.rows };
      const first = head.fault ??
        (wrong || end.wrong ? { ...(wrong ?? end.wrong)!, noticed_at: now() } : null);
      return Promise.resolve({
        rows: last.rows,
        id: last.id,
        mac: last.mac?.toHex() ?? "",
        fault: first,
      });
    });
  }

  #cutAt(headId: number): number {
    const last = lastRow(this.wiring.database.sqlite).id;
    return Math.min(headId, this.#firstAgain ?? last + 1);
  }

  #tell(): void {
    const { fault } = this;
    const text = fault ? `Row ${fault.id} of the audit ${fault.what}.` : undefined;
    if (text !== undefined && text !== this.#logged) {
      this.wiring.log.error(
        `${text} Look with: restic-manager-server verify-audit. If an older copy of the database was put back, say so with: restic-manager-server verify-audit --restored`,
      );
    }
    this.#logged = text;
  }
}

function lastRow(sqlite: Database["sqlite"]): { rows: number; id: number; mac: Uint8Array | null } {
  const row = sqlite.prepare("select count(*) as rows, max(id) as id from audit").get() as {
    rows: number;
    id: number | null;
  };
  const mac = row.id === null
    ? null
    : (sqlite.prepare("select mac from audit where id = ?").get(row.id) as { mac: Uint8Array }).mac;
  return { rows: row.rows, id: row.id ?? 0, mac };
}
