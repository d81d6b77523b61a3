// Settings → a server that is ready to answer. Wiring only.
import { ConnectedAgents } from "./connected_agents.ts";
import { openDatabase } from "./database/open.ts";
import { Events } from "./events.ts";
import { createLog, type Log } from "./log.ts";
import { refreshNormalised } from "./repositories/refresh_normalised.ts";
import { createSecrets, KeyFileError, loadKey } from "./secrets.ts";
import { type Server, SYSTEM } from "./server.ts";
import type { Settings } from "./settings.ts";
import { Throttle } from "./throttle.ts";
import { Turns } from "./turns.ts";
import { createFirstLink } from "./users/setup_links.ts";
import { createPasswordHasher, type HashCost } from "./users/password.ts";
import { recordAudit } from "./audit/record.ts";
import { AUDIT_KEY, AuditWatch } from "./audit/watch.ts";
import { WaitingAgents } from "./waiting_agents.ts";

export interface OpenServer {
  server: Server;
  /** Ends what would otherwise stay open: live streams, upkeep. */
  endStreams(): void;
  /** Closes the database; nothing may use the server afterwards. */
  close(): Promise<void>;
}

export interface OpenOptions {
  now?: () => number;
  log?: Log;
  /** A short task of the command line, perhaps beside a running server. */
  shared?: boolean;
  /** Cheaper password hashes, for tests. */
  hashCost?: HashCost;
}

export async function openServer(
  settings: Settings,
  options: OpenOptions = {},
): Promise<OpenServer> {
  const database = await openDatabase(settings.dataDir, options.shared);
  try {
    const holdsSecrets = await database.db.selectFrom("repositories").select("id").limit(1)
      .executeTakeFirst() !== undefined;
    const secrets = await createSecrets(await loadKey(settings.secretKeyFile, !holdsSecrets));
    const closing = new AbortController();
    const now = options.now ?? Date.now;
    const log = options.log ?? createLog(settings.logLevel);
    const audit = await AuditWatch.open({
      database,
      dataDir: settings.dataDir,
      key: secrets.derive(AUDIT_KEY),
      log,
      now,
    });
    const server: Server = {
      db: database.db,
      database,
      agents: new ConnectedAgents(),
      waiting: new WaitingAgents(),
      events: new Events((error) => log.error(`A page that watches: ${error}`)),
      secrets,
      passwords: createPasswordHasher(options.hashCost),
      settings,
      log,
      now,
      progress: new Map(),
      throttle: new Throttle(now),
      audit,
      greetings: new Turns(),
      strangers: new Throttle(now),
      listening: null,
      setup: { token: null },
      closing: closing.signal,
    };
    await refuseOtherKey(server);
    if (!options.shared) {
      await refreshNormalised(server);
      server.setup.token = await createFirstLink(server, SYSTEM);
      await recordAudit(server.db, now(), SYSTEM, { action: "server.started" });
    }
    return {
      server,
      endStreams: () => closing.abort(),
      close: async () => {
        closing.abort();
        server.passwords.close();
        await audit.settled();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
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
