// What a change costs beside as many live pages as may be open, none of which is read. The limit is the same change with no
// page open, by turns on the same server.
import { DatabaseSync } from "node:sqlite";
import { STREAMS_IN_ALL, STREAMS_PER_USER } from "../../server/open_streams.ts";
import { newId } from "../../shared/new_id.ts";
import { randomSecret, sha256 } from "../../server/random.ts";
import { ManyHosts } from "./many_hosts.ts";
import { quiet, Side, sleep } from "./sides.ts";
import { percentile, type Row } from "./table.ts";

const HOSTS = 200;
const CHANGES = 150;
const TURNS = 3;

export async function benchStreams(): Promise<Row[]> {
  await using fleet = await ManyHosts.prepare(HOSTS);
  const tokens = addViewers(fleet.database, STREAMS_IN_ALL / STREAMS_PER_USER);
  const admin = addToken(fleet.database, "alice");
  await fleet.start();
  const change = () => changeHost(fleet, admin);
  for (let n = 0; n < 50; n++) await change();
  const alone: number[] = [];
  const beside: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    await quiet();
    for (let n = 0; n < CHANGES; n++) alone.push(await change());
    await using side = Side.start("unread.ts", fleet.url, tokens.join(","), STREAMS_PER_USER);
    const { opened } = await side.next();
    if (opened !== STREAMS_IN_ALL) throw new Error(`${opened} streams are open`);
    await sleep(2);
    for (let n = 0; n < CHANGES; n++) beside.push(await change());
  }
  return [0.5, 0.95].map((part) => {
    const [ours, limit] = [percentile(beside, part), percentile(alone, part)];
    return {
      measure: `a change beside ${STREAMS_IN_ALL} live pages that nobody reads: p${part * 100}`,
      limit: "the same change alone",
      goal: "≤ 1.3",
      ratio: ours / limit,
      detail: `${ours.toFixed(2)} against ${limit.toFixed(2)} ms`,
    };
  });
}

async function changeHost({ url, hosts }: ManyHosts, token: string): Promise<number> {
  const { id } = hosts[Math.floor(Math.random() * hosts.length)]!;
  const began = performance.now();
  const response = await fetch(`${url}/api/hosts/${id}`, {
    method: "PATCH",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ tags: [crypto.randomUUID().slice(0, 8)] }),
  });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`a change: ${response.status}`);
  return performance.now() - began;
}

function addViewers(database: string, count: number): string[] {
  const sqlite = new DatabaseSync(database);
  const insert = sqlite.prepare(
    "insert into users (id, username, password_hash, role, created_at) values (?, ?, '', 'viewer', 1)",
  );
  const names = Array.from({ length: count }, (_, n) => `viewer${n}`);
  for (const name of names) insert.run(newId(), name);
  sqlite.close();
  return names.map((name) => addToken(database, name));
}

function addToken(database: string, username: string): string {
  const token = randomSecret("rm_");
  const sqlite = new DatabaseSync(database);
  sqlite.prepare(
    `insert into api_tokens (id, user_id, name, token_hash, created_at)
      select ?, id, 'bench', ?, 1 from users where username = ?`,
  ).run(newId(), sha256(token), username);
  sqlite.close();
  return token;
}
