// Subcommands; settings → open → listen → close on signal. Wiring only.
import { parseArgs } from "node:util";
import { messageOf, openLog, printerFor } from "../shared/log.ts";
import { VERSION, versionLine } from "../shared/version.ts";
import { userName } from "../shared/fields.ts";
import type { Role } from "./database/tables.ts";
import type { Account } from "../shared/shapes/user.ts";
import { AppError } from "./errors.ts";
import { openServer } from "./open.ts";
import { askHealth, urlHere } from "./own_health.ts";
import { readablePassword } from "./random.ts";
import { KeyFileError } from "./secrets.ts";
import { serve } from "./serve.ts";
import type { Actor, Server } from "./server.ts";
import { UsageError } from "./usage.ts";
import {
  logFormatOf,
  readSettings,
  type Settings,
  SettingsError,
  settingsHelp,
} from "./settings.ts";
import { backupDatabase } from "./database/backup.ts";
import { DatabaseError } from "./database/database_error.ts";

const HELP = `restic-manager-server ${VERSION}

Usage: restic-manager-server [command]

  serve                                     answer browsers and agents (default)
  user add NAME --role admin|operator|viewer [--password-file F]
  user reset-password NAME [--password-file F]
                                            without a file a one-time password is printed
  user list                                 name, role and state of every user
  user disable|enable|remove NAME           ends sessions and API tokens too; never the last admin
  user role NAME admin|operator|viewer
  setup-link                                print a new one-time link for the first admin, valid for an hour
  token create --user NAME [--name TEXT]    print a new API token with that user's role
  backup-database FILE                      a consistent copy, also while the server runs
  verify-audit [FILE]                       1 when the audit was tampered with, and where; FILE is a copy of the database
  verify-audit --restored                   say that an older copy of the database was put back
  check-settings                            say whether the settings are right
  check-health                              0 when the server that runs with these settings answers, for containers
  version

Settings (environment variables; each VARIABLE may also be given as VARIABLE_FILE, the path of a file that holds it):
${settingsHelp()}
`;

async function main(args: string[]): Promise<number> {
  const [command = "serve", ...rest] = args;
  if (args.includes("--help") || args.includes("-h") || command === "help") {
    console.log(HELP);
    return 0;
  }
  switch (command) {
    case "serve":
      none(rest);
      return await runServer(settings());
    case "user":
      return await userCommand(rest);
    case "token":
      return await tokenCommand(rest);
    case "setup-link":
      none(rest);
      return await setupLinkCommand(settings());
    case "backup-database":
      return await backupCommand(rest);
    case "verify-audit":
      return await (await import("./verify_audit.ts")).verifyAuditCommand(settings(), rest);
    case "check-settings":
      none(rest);
      settings();
      console.log("The settings are right.");
      return 0;
    case "check-health":
      none(rest);
      return await checkHealth(settings());
    case "version":
    case "--version":
      console.log(versionLine("restic-manager-server"));
      return 0;
    default:
      throw new UsageError(`There is no command ${command}. See --help.`);
  }
}

const STOP_WITHIN_MS = 12_000;
const NEEDS_PROXY =
  "RM_LISTEN is not an address of this machine alone: put a reverse proxy before it that closes half-sent requests and limits connections of an address, which this server cannot (see deploy/proxy), and let nobody else reach this port";

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || /^127\./.test(hostname);
}

async function runServer(settings: Settings): Promise<number> {
  const serving = await serve(settings);
  const { server, url } = serving;
  server.log.info(
    `restic-manager-server ${VERSION} listens on ${url}, data in ${settings.dataDir}`,
  );
  if (!isLoopback(settings.listen.hostname)) server.log.warn(NEEDS_PROXY);
  if (server.setup.token) {
    printerFor(settings.logFormat)(
      `\nMake the first administrator here (the link works once, for an hour):\n  ${
        settings.baseUrl ?? url
      }/setup?token=${server.setup.token}\n`,
    );
  }
  const reason = await Promise.race([stopSignal(), serving.givenUp]);
  if (reason === undefined) server.log.info("stopping");
  else server.log.error(`Ending, to be started again: ${reason}`);
  const code = reason === undefined ? 0 : 1;
  // Whatever hangs in there, the port and the data folder are free for the next start.
  setTimeout(() => Deno.exit(code), STOP_WITHIN_MS);
  await serving.stop();
  return code;
}

async function checkHealth({ listen }: Settings): Promise<number> {
  try {
    const answer = await askHealth(listen, AbortSignal.timeout(4000));
    console.log(answer.body);
    return answer.status === 200 ? 0 : 1;
  } catch (error) {
    console.error(`${urlHere(listen)}/healthz does not answer: ${messageOf(error)}`);
    return 1;
  }
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      // A second signal finds no listener and ends the process at once.
      const listener = () => {
        Deno.removeSignalListener(signal, listener);
        resolve();
      };
      Deno.addSignalListener(signal, listener);
    }
  });
}

/** For a short task on the data folder, beside a running server or without one. */
async function withServer<T>(work: (server: Server) => Promise<T>): Promise<T> {
  const { server, close } = await openServer(settings(), { shared: true });
  try {
    return await work(server);
  } finally {
    await close();
  }
}

const CONSOLE: Actor = { kind: "system", id: null, name: "command line", address: null };

async function setupLinkCommand(settings: Settings): Promise<number> {
  const { createFirstLink } = await import("./users/setup_links.ts");
  const token = await withServer((server) => createFirstLink(server, CONSOLE));
  if (token === null) {
    console.error(
      "There is a user already. Use: user add NAME --role admin, or user reset-password NAME",
    );
    return 1;
  }
  console.log(
    `Make the first administrator here (the link works once, for an hour):\n${
      settings.baseUrl ?? urlHere(settings.listen)
    }/setup?token=${token}`,
  );
  return 0;
}

const USER_VERBS = new Set(["list", "disable", "enable", "remove", "role"]);

async function userCommand(args: string[]): Promise<number> {
  if (USER_VERBS.has(args[0] ?? "")) return await changeCommand(args);
  const { createUser } = await import("./users/create.ts");
  const { resetPassword } = await import("./users/change_password.ts");
  const { values, positionals } = parse(args, { role: "string", "password-file": "string" });
  const [verb, given, ...more] = positionals;
  if ((verb !== "add" && verb !== "reset-password") || !given || more.length > 0) {
    throw new UsageError(
      "Usage: user add NAME --role admin|operator|viewer, user reset-password NAME, or see --help",
    );
  }
  const name = userName.safeParse(given);
  if (!name.success) throw new UsageError(`NAME ${name.error.issues[0]!.message}.`);
  const file = values["password-file"];
  const password = file ? readPasswordFile(file) : readablePassword();
  const role = verb === "add" ? readRole(values.role) : undefined;
  await withServer(async (server) => {
    if (role) {
      await createUser(server, CONSOLE, { username: name.data, role, password });
    } else {
      await resetPassword(server, CONSOLE, await knownUser(server, name.data), password);
    }
  });
  console.log(
    file
      ? `Done: ${name.data}.`
      : `Password of ${name.data} (shown once; change it after signing in):\n${password}`,
  );
  return 0;
}

async function changeCommand(args: string[]): Promise<number> {
  const { changeUser, removeUser } = await import("./users/change.ts");
  const { listUsers } = await import("./users/find.ts");
  const [verb, ...given] = parse(args, {}).positionals;
  const [name, role] = given;
  if (given.length !== (verb === "list" ? 0 : verb === "role" ? 2 : 1)) {
    throw new UsageError(
      "Usage: user list, user disable|enable|remove NAME, or user role NAME admin|operator|viewer",
    );
  }
  const newRole = verb === "role" ? readRole(role, "ROLE") : undefined;
  await withServer(async (server) => {
    if (verb === "list") return printUsers(await listUsers(server));
    const { id, username } = await knownUser(server, name!);
    if (verb === "remove") await removeUser(server, CONSOLE, id);
    else if (newRole) await changeUser(server, CONSOLE, id, { role: newRole });
    else await changeUser(server, CONSOLE, id, { disabled: verb === "disable" });
    console.log(`Done: ${username}.`);
  });
  return 0;
}

function printUsers(users: Account[]): void {
  for (const { username, role, disabled, has_password, sessions, tokens } of users) {
    const state = disabled ? "disabled" : has_password ? "enabled" : "no password yet";
    console.log([username, role, state, `${sessions} sessions`, `${tokens} tokens`].join("\t"));
  }
}

async function tokenCommand(args: string[]): Promise<number> {
  const { createToken } = await import("./users/tokens.ts");
  const { values, positionals } = parse(args, { user: "string", name: "string" });
  if (positionals.join(" ") !== "create" || !values.user) {
    throw new UsageError("Usage: token create --user NAME [--name TEXT]");
  }
  const made = await withServer(async (server) =>
    await createToken(server, CONSOLE, await knownUser(server, values.user!), {
      name: values.name ?? "command line",
    })
  );
  console.log(made.token);
  return 0;
}

async function backupCommand(args: string[]): Promise<number> {
  const [file, ...more] = args;
  if (!file || more.length > 0) throw new UsageError("Usage: backup-database FILE");
  await backupDatabase(settings().dataDir, file);
  console.log(
    `The database was copied to ${file}. Keep the key file beside it: without it no secret opens.`,
  );
  return 0;
}

async function knownUser(server: Server, name: string) {
  const { findUserByName } = await import("./users/find.ts");
  const user = await findUserByName(server, name);
  if (!user) throw new AppError("not_found", `There is no user named ${name}.`);
  return user;
}

function readRole(text: string | undefined, name = "--role"): Role {
  if (text === "admin" || text === "operator" || text === "viewer") return text;
  throw new UsageError(
    `${name} is ${text ? `"${text}"` : "missing"}, but must be admin, operator or viewer.`,
  );
}

function readPasswordFile(file: string): string {
  try {
    return Deno.readTextFileSync(file).replace(/\r?\n$/, "");
  } catch (error) {
    throw new UsageError(`--password-file ${file} cannot be read: ${(error as Error).message}`);
  }
}

function parse<O extends string>(args: string[], options: Record<O, "string">) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: Object.fromEntries(
        Object.keys(options).map((name) => [name, { type: "string" as const }]),
      ),
    });
    return { values: values as Partial<Record<O, string>>, positionals };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function none(args: string[]): void {
  if (args.length > 0) throw new UsageError(`${args[0]} is not expected here. See --help.`);
}

function settings(): Settings {
  return readSettings((name) => Deno.env.get(name));
}

/** What ends a server that was to serve is a line of its log, where that is JSON; a person at a terminal reads the sentence. */
function reportEnd(error: unknown, isExpected: boolean): void {
  const [command = "serve"] = Deno.args;
  if (command !== "serve" || logFormat !== "json") {
    console.error(isExpected ? messageOf(error) : error);
  } else {openLog({ logLevel: "error", logFormat }).error(
      isExpected ? messageOf(error) : stackOf(error),
    );}
}

function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

const logFormat = logFormatOf((name) => Deno.env.get(name));

if (import.meta.main) {
  const log = openLog({ logLevel: "error", logFormat });
  // A fault in one request or socket must not end the server for the whole fleet.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error(`unhandled: ${stackOf(event.reason)}`);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    log.error(`unhandled: ${stackOf(event.error ?? event.message)}`);
  });
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    const isExpected = error instanceof UsageError || error instanceof SettingsError ||
      error instanceof KeyFileError || error instanceof DatabaseError ||
      error instanceof AppError ||
      error instanceof Deno.errors.AddrInUse;
    reportEnd(error, isExpected);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}
