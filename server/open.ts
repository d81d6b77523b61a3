// Settings → a server that is ready to answer. Wiring only.
import { Clock, MACHINE, type TimeSource } from "./clock.ts";
import { ConnectedAgents } from "./connected_agents.ts";
import { type Lock, lockStart } from "./database/folder_locks.ts";
import { type Database, openDatabase } from "./database/open.ts";
import { Disk } from "./disk.ts";
import { Events } from "./events.ts";
import { followClock, readClock, storeClock } from "./follow_clock.ts";
import { SERVER_KINDS } from "./job_kinds/all.ts";
import { type Log, openLog } from "../shared/log.ts";
import { dispatchAll } from "./jobs/dispatch.ts";
import { ensureRepository } from "./jobs/ensure_repository.ts";
import { PLAN } from "./plan/push.ts";
import { refreshNormalised } from "./repositories/refresh_normalised.ts";
import { createSecrets, KeyFileError, loadKey } from "./secrets.ts";
import { type Server, SYSTEM } from "./server.ts";
import type { Settings } from "./settings.ts";
import { Storage } from "./storage.ts";
import { LineUse } from "./quotas/line_use.ts";
import { OpenStreams } from "./open_streams.ts";
import { Paces, Slices } from "./quotas/pace.ts";
import { Progresses } from "./quotas/progresses.ts";
import { OpenLists } from "./snapshots/limits.ts";
import { OpenDownloads } from "./snapshots/open_downloads.ts";
import type { Preview } from "./snapshots/preview.ts";
import { Readings } from "./jobs/readings.ts";
import type { TreeListing } from "./snapshots/tree_listing.ts";
import type { DiffListing } from "./snapshots/diff_listing.ts";
import { Searches } from "./snapshots/searches.ts";
import { Trees } from "./snapshots/trees.ts";
import { Throttle } from "./throttle.ts";
import { YieldQueue } from "./yield_queue.ts";
import { createFirstLink } from "./users/setup_links.ts";
import { createPasswordHasher, type HashCost } from "./users/password.ts";
import { recordAudit } from "./audit/record.ts";
import { AUDIT_KEY, AuditWatch } from "./audit/watch.ts";
import { WaitingAgents } from "./waiting_agents.ts";

/** What files hold is kept for as long as a page needs to show it, and little more. */
const PREVIEWS_KEPT = { bytes: 8 * 1_048_576, ms: 2 * 60_000 };

export interface OpenServer {
  server: Server;
  /** Ends what would otherwise stay open: live streams, periodic tasks. */
  endStreams(): void;
  /** Closes the database; nothing may use the server afterwards. */
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Tests bend one clock or the other. */
  time?: Partial<TimeSource>;
  log?: Log;
  /** A short task of the command line, perhaps beside a running server. */
  shared?: boolean;
  /** Cheaper password hashes, for tests. */
  hashCost?: HashCost;
}

/** Others who open the same folder wait until the database and the key are whole. */
export async function openServer(
  settings: Settings,
  options: OpenOptions = {},
): Promise<OpenServer> {
  const starting = await lockStart(settings.dataDir);
  try {
    return await openLocked(settings, options, starting);
  } finally {
    starting.release();
  }
}

async function openLocked(
  settings: Settings,
  options: OpenOptions,
  starting: Lock,
): Promise<OpenServer> {
  const disk = await openDisk(settings);
  const database = await openDatabase(settings.dataDir, { shared: options.shared, starting });
  disk.reusable = () => reusableBytes(database);
  try {
    const server = await wire(settings, options, { disk, database });
    await refuseOtherKey(server.server);
    if (!options.shared) await begin(server.server);
    return server;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** All that a server is made of; nothing of it is in use yet. */
async function wire(
  settings: Settings,
  options: OpenOptions,
  { disk, database }: { disk: Disk; database: Database },
): Promise<OpenServer> {
  const holdsSecrets = await database.db.selectFrom("repositories").select("id").limit(1)
    .executeTakeFirst() !== undefined;
  const secrets = await createSecrets(await loadKey(settings.secretKeyFile, !holdsSecrets));
  const closing = new AbortController();
  const clock = new Clock({ ...MACHINE, ...options.time }, await readClock(database));
  const now = () => clock.now();
  const log = options.log ?? openLog(settings);
  const key = secrets.derive(AUDIT_KEY);
  const audit = await AuditWatch.open({ database, dataDir: settings.dataDir, key, log, now });
  const events = new Events((error) => log.error(`A page that watches: ${error}`));
  const onChange = () => events.publish({ type: "notice" });
  const storage = new Storage({ database, log, now, onChange });
  const server: Server = {
    ...sharesOf(settings, () => clock.elapsed(), closing.signal),
    db: database.db,
    database,
    agents: new ConnectedAgents(),
    waiting: new WaitingAgents(),
    events,
    streams: new OpenStreams(),
    secrets,
    passwords: createPasswordHasher(options.hashCost),
    settings,
    log,
    clock,
    now,
    elapsed: () => clock.elapsed(),
    progress: new Progresses(),
    openLists: new OpenLists(),
    trees: new Trees<TreeListing>(() => clock.elapsed()),
    comparisons: new Trees<DiffListing>(() => clock.elapsed()),
    searches: new Searches(() => clock.elapsed()),
    previews: new Trees<Preview>(() => clock.elapsed(), PREVIEWS_KEPT),
    downloads: new OpenDownloads(settings.downloads),
    readings: new Readings(),
    disk,
    storage,
    audit,
    hellos: new YieldQueue(),
    listening: null,
    setup: { token: null },
    closing: closing.signal,
    kinds: SERVER_KINDS,
    plan: PLAN,
    work: { ensureRepository, dispatchAll },
  };
  return {
    server,
    endStreams: () => closing.abort(),
    close: async () => {
      closing.abort();
      server.passwords.close();
      storage.close();
      await audit.settled();
      if (!options.shared) await storeClock(server).catch((error) => log.warn(`clock: ${error}`));
      await database.close();
    },
  };
}

/** What keeps one agent, user or network from taking everybody's share. */
function sharesOf(settings: Settings, elapsed: () => number, closing: AbortSignal) {
  return {
    lineUse: new LineUse(settings.quotas),
    paces: new Paces(closing),
    slices: new Slices(new YieldQueue()),
    handshakes: new Throttle(elapsed),
    throttle: new Throttle(elapsed),
    unauthenticated: new Throttle(elapsed),
  };
}

async function begin(server: Server): Promise<void> {
  await followClock(server);
  await storeClock(server);
  await refreshNormalised(server);
  server.setup.token = await createFirstLink(server, SYSTEM);
  await recordAudit(server.db, server.now(), SYSTEM, { action: "server.started" });
}

function reusableBytes({ sqlite }: Database): number {
  const { freelist_count } = sqlite.prepare("pragma freelist_count").get() as {
    freelist_count: number;
  };
  const { page_size } = sqlite.prepare("pragma page_size").get() as { page_size: number };
  return freelist_count * page_size;
}

/** Before the database: a start writes, and on a full disk the ballast is the room for that. */
async function openDisk({ dataDir, quotas }: Settings): Promise<Disk> {
  const disk = new Disk(dataDir, quotas.diskReserve);
  await disk.tend();
  return disk;
}

/** With another key nothing could be opened later, at night, by an agent: say so now. */
async function refuseOtherKey(server: Server): Promise<void> {
  const row = await server.db.selectFrom("repositories").select(["id", "password_sealed"]).limit(1)
    .executeTakeFirst();
  if (!row) return;
  try {
    await server.secrets.open(row.password_sealed, {
      table: "repositories",
      row: row.id,
      column: "password",
    });
  } catch {
    throw new KeyFileError(
      `The key in ${server.settings.secretKeyFile} is not the one that sealed the secrets in this database. Put the right key back.`,
    );
  }
}
