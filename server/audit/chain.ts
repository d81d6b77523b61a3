// Each row of the audit carries a keyed hash of itself and of the row before it: anyone who can write the database, but does not
// hold secret.key, can neither change nor make a row that fits. What is missing at the end shows by head_file.ts.
import { createHmac } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";

/** What a row's hash covers, in this order. */
const COLUMNS = [
  "id",
  "at",
  "actor_kind",
  "actor_id",
  "actor_name",
  "action",
  "target_kind",
  "target_id",
  "target_name",
  "address",
  "detail",
];

type Value = string | number | bigint | Uint8Array | null;

/** Makes the functions of the chain known to this connection. `onNext` receives the id of each row that is about to be added. */
export function registerChain(
  sqlite: DatabaseSync,
  key: Uint8Array,
  onNext: (id: number) => void = () => {},
): void {
  const mac = (before: Value, ...row: Value[]) => {
    const text = JSON.stringify([hex(before), ...row.map((value) => value ?? null)]);
    return new Uint8Array(createHmac("sha256", key).update(text).digest());
  };
  // deno-lint-ignore no-explicit-any -- node:sqlite hands over what the statement gave
  const define = (name: string, work: (...values: any[]) => Uint8Array) =>
    sqlite.function(name, { varargs: true }, work);
  define("audit_mac", mac);
  define("audit_next_mac", (before, id, ...row) => {
    onNext(Number(id));
    return mac(before, id, ...row);
  });
}

function hex(before: Value): string | null {
  return before instanceof Uint8Array ? before.toHex() : null;
}

export interface ChainRow {
  id: number;
  mac: Uint8Array | null;
  /** The hash that the row would have to have. */
  expected: Uint8Array;
}

/** The rows after `id`, each with what its hash must be; `mac` is that of row `id`, null at the beginning. */
export function* chainAfter(
  sqlite: DatabaseSync,
  id: number,
  mac: Uint8Array | null,
): Generator<ChainRow> {
  const statement = sqlite.prepare(
    `select id, mac, audit_mac(coalesce(lag(mac) over (order by id), ?), ${
      COLUMNS.join(", ")
    }) as expected
      from audit where id > ? order by id`,
  );
  for (const row of statement.iterate(mac, id)) yield row as unknown as ChainRow;
}

export function sameMac(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a !== null && b !== null && a.toHex() === b.toHex();
}

export interface WrongRow {
  id: number;
  what: string;
}

/** Follows the chain to its end. Returns where it ends, or the first row that is wrong. */
export function followChain(
  sqlite: DatabaseSync,
  from: { id: number; mac: Uint8Array | null } = { id: 0, mac: null },
): { rows: number; id: number; mac: Uint8Array | null; wrong?: WrongRow } {
  let { id, mac } = from;
  let rows = 0;
  for (const row of chainAfter(sqlite, id, mac)) {
    if (!sameMac(row.mac, row.expected)) {
      const wrong = row.id === id + 1
        ? { id: row.id, what: "was changed, or put in the place of another" }
        : { id: id + 1, what: "is missing" };
      return { rows, id, mac, wrong };
    }
    ({ id, mac } = row);
    rows++;
  }
  return { rows, id, mac };
}

/** Gives rows of before their place, once: only while no row is in the chain yet. */
export function chainOldRows(sqlite: DatabaseSync): void {
  const update = sqlite.prepare("update audit set mac = ? where id = ?");
  let mac: Uint8Array | null = null;
  const make = sqlite.prepare(
    `select audit_mac(?, ${COLUMNS.join(", ")}) as mac from audit where id = ?`,
  );
  const ids = sqlite.prepare("select id from audit order by id").all() as { id: number }[];
  for (const { id } of ids) {
    mac = (make.get(mac, id) as { mac: Uint8Array }).mac;
    update.run(mac, id);
  }
}
