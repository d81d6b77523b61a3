// How often a password may be guessed. Counted in the database, so that a restart frees nobody; in networks, since whoever
// has one address has many; and per account from anywhere, which alone stops a guesser with many networks. What is counted
// for networks that an account has signed in from is counted apart: a stranger never locks its owner out of them.
import { createHmac } from "node:crypto";
import type { Connection } from "../database/connection.ts";
import { AppError } from "../errors.ts";
import { networksOf } from "../network.ts";
import type { Server } from "../server.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Above the longest window. */
const KEPT = HOUR;
/** Real hashes take far longer than it takes to make so many rows in an hour. */
const ROWS_KEPT = 200_000;
const NETWORKS_KEPT = 50;
const NETWORK_KEPT = 400 * 24 * HOUR;

interface Limit {
  key: string;
  /** So many in so many milliseconds, each of which must hold. */
  windows: [most: number, ms: number][];
}

/** A burst, and what anybody may try in an hour. */
const ACCOUNT: Limit["windows"] = [[8, 5 * MINUTE], [10, HOUR]];
/** Its owner's own mistakes there, and what anyone who shares that network with him may try. */
const KNOWN_ACCOUNT: Limit["windows"] = [[8, 5 * MINUTE], [30, HOUR]];
const SESSION: Limit["windows"] = [[10, HOUR]];
const NETWORK: Limit["windows"] = [[30, 10 * MINUTE]];
/** IPv6 /48. */
const CUSTOMER: Limit["windows"] = [[60, 10 * MINUTE]];
const WIDE: Limit["windows"] = [[300, 10 * MINUTE]];

export interface Guesser {
  /** null: there is no such account. Its name is then counted as if there were. */
  userId: string | null;
  username: string;
  address: string;
  /** Of someone who is signed in and guesses the present password. */
  sessionId?: string;
}

export interface Guess {
  /** The account has signed in from this network before. */
  isKnown: boolean;
  /** The widest network that one customer may have. */
  network: string;
  /** It was no guess: the password was right, or nobody looked at it. */
  takeBack(): Promise<void>;
}

/** Counts a guess before the password is looked at, so that many at once are not let through. Throws too_many. */
export async function countGuess(server: Server, who: Guesser): Promise<Guess> {
  const networks = networksOf(who.address);
  const now = server.now();
  const network = networks.findLast(({ isWide }) => !isWide)!.network;
  const { isKnown, numbers, waitMs } = await server.database.raw((sqlite) => {
    const isKnown = who.userId !== null && sqlite.prepare(
          "select 1 from known_networks where user_id = ? and network = ?",
        ).get(who.userId, networks[0]!.network) !== undefined;
    const isExpected = isKnown || who.sessionId !== undefined;
    server.passwords.refuseWhenFull({ isKnown: isExpected, network });
    const limits = limitsOf(server, who, isKnown);
    const waitMs = Math.max(...limits.map((limit) => waitFor(sqlite, now, limit)));
    if (waitMs > 0) return { isKnown, numbers: [], waitMs };
    const insert = sqlite.prepare("insert into login_tries (key, at) values (?, ?)");
    return {
      isKnown,
      numbers: limits.map(({ key }) => insert.run(key, now).lastInsertRowid),
      waitMs,
    };
  });
  // Not in the transaction, which would be rolled back.
  if (waitMs > 0) throw tooMany(waitMs);
  return {
    isKnown: isKnown || who.sessionId !== undefined,
    network,
    takeBack: () =>
      server.database.raw((sqlite) => {
        const remove = sqlite.prepare("delete from login_tries where number = ?");
        for (const number of numbers) remove.run(number);
      }),
  };
}

function limitsOf(server: Server, who: Guesser, isKnown: boolean): Limit[] {
  const networks = networksOf(who.address);
  const own = who.sessionId && { key: `session:${who.sessionId}`, windows: SESSION };
  if (isKnown) {
    // Who is signed in does not use up what is there for signing in.
    return [
      own || { key: `known:${who.userId}:${networks[0]!.network}`, windows: KNOWN_ACCOUNT },
    ];
  }
  return [
    ...(own ? [own] : []),
    { key: `account:${who.userId ?? nameKey(server, who.username)}`, windows: ACCOUNT },
    ...networks.map(({ network, isWide }, n) => ({
      key: `network:${network}`,
      windows: isWide ? WIDE : n === 0 ? NETWORK : CUSTOMER,
    })),
  ];
}

/** Under a key of ours: nobody can find two names that count as one, and so learn which of them is an account. */
function nameKey(server: Server, username: string): string {
  return createHmac("sha256", server.secrets.derive("names of nobody"))
    .update(username.toLowerCase()).digest("hex").slice(0, 24);
}

/** Until the limit admits another one, in milliseconds. */
function waitFor(sqlite: Connection, now: number, { key, windows }: Limit): number {
  const newest = sqlite.prepare(
    "select at from login_tries where key = ? and at > ? order by at desc limit 1 offset ?",
  );
  return Math.max(...windows.map(([most, ms]) => {
    const full = newest.get(key, now - ms, most - 1) as { at: number } | undefined;
    return full ? full.at + ms - now : 0;
  }));
}

function tooMany(waitMs: number): AppError {
  const error = new AppError(
    "too_many",
    "Too many tries. Wait a while, or sign in from a network from which you signed in before.",
  );
  error.retryAfter = Math.max(1, Math.ceil(waitMs / 1000));
  return error;
}

/** From where a user signed in; of many the newest. */
export function rememberNetwork(
  sqlite: Connection,
  { userId, address, now }: { userId: string; address: string; now: number },
): void {
  const { network } = networksOf(address)[0]!;
  sqlite.prepare(
    `insert into known_networks (user_id, network, last_login_at) values (?, ?, ?)
      on conflict (user_id, network) do update set last_login_at = excluded.last_login_at`,
  ).run(userId, network, now);
  sqlite.prepare(
    `delete from known_networks where user_id = ? and network not in (select network from known_networks
      where user_id = ? order by last_login_at desc limit ${NETWORKS_KEPT})`,
  ).run(userId, userId);
}

export async function sweepGuesses({ database, now }: Server): Promise<void> {
  await database.raw((sqlite) => {
    const at = now();
    sqlite.prepare("delete from login_tries where at <= ?").run(at - KEPT);
    sqlite.prepare(
      `delete from login_tries where number <= (select max(number) from login_tries) - ${ROWS_KEPT}`,
    ).run();
    sqlite.prepare("delete from known_networks where last_login_at < ?").run(at - NETWORK_KEPT);
  });
}
