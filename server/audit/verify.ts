// Whether the audit is whole: read only, beside a running server or on a copy of the database.
import { DatabaseSync } from "node:sqlite";
import { followChain, registerChain, type WrongRow } from "./chain.ts";
import type { Head, HeadFound } from "./head_file.ts";

export interface Verdict {
  rows: number;
  /** Of the last row that fits, 0 when there is none. */
  id: number;
  mac: string;
  wrong?: WrongRow;
  /** Every row that is there fits: an older copy that was put back looks so. */
  isChainWhole: boolean;
}

/**
 * `head` as it was read before the database; null for a copy, whose end nothing tells. Throws where the database cannot be
 * read at all.
 */
export function verifyAudit(file: string, key: Uint8Array, head: HeadFound | null): Verdict {
  const sqlite = new DatabaseSync(file, { readOnly: true });
  try {
    registerChain(sqlite, key);
    // One moment of a database that a server writes to.
    sqlite.exec("begin");
    const hasChain = sqlite.prepare("select 1 from pragma_table_info('audit') where name = 'mac'")
      .get();
    if (!hasChain) throw new Error("it is of a version without a chain; start the server once");
    const end = followChain(sqlite);
    const verdict = { rows: end.rows, id: end.id, mac: end.mac?.toHex() ?? "" };
    if (end.wrong) return { ...verdict, wrong: end.wrong, isChainWhole: false };
    const wrong = head === null ? undefined : againstHead(sqlite, head, end.id);
    return { ...verdict, isChainWhole: true, ...(wrong ? { wrong } : {}) };
  } finally {
    sqlite.close();
  }
}

function againstHead(sqlite: DatabaseSync, head: HeadFound, last: number): WrongRow | undefined {
  if (typeof head === "string") {
    return {
      id: 1,
      what:
        `and what follows may be cut off: the file audit-head.json, which says how many rows there are, ${
          head === "missing" ? "is missing" : "was changed"
        }`,
    };
  }
  return earliest(head.fault, missing(sqlite, head, last));
}

function missing(sqlite: DatabaseSync, head: Head, last: number): WrongRow | undefined {
  if (last < head.id) {
    return { id: last + 1, what: `is missing: the tail is cut off, there were ${head.rows} rows` };
  }
  const row = sqlite.prepare("select lower(hex(mac)) as mac from audit where id = ?").get(
    head.id,
  ) as
    | { mac: string }
    | undefined;
  if (head.id === 0 || row?.mac === head.mac) return undefined;
  return {
    id: head.id,
    what: "is not the one that was there: the tail was cut off and goes on anew",
  };
}

function earliest(a: WrongRow | null, b: WrongRow | undefined): WrongRow | undefined {
  if (!a || !b) return a ?? b;
  return a.id <= b.id ? a : b;
}
