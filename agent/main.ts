// Subcommands, signals, exit codes. Wiring only.
import { parseArgs } from "node:util";
import { visible } from "../shared/redact.ts";
import { versionLine } from "../shared/version.ts";
import { canBeReadOnTheWay, serverAddress } from "../shared/server_address.ts";
import { announce, type Announcing, CAN_BE_READ } from "./announce.ts";
import { EnrolmentRefused, RefusedForGood } from "./ask_server.ts";
import { enrol } from "./enrol.ts";
import { restoreByHand } from "./by_hand/restore.ts";
import { closeToOthers, CorruptFile } from "./files.ts";
import { readIdentity } from "./identity.ts";
import { joinAgain } from "./join_again.ts";
import { clientFor, trustSystemAuthorities } from "./http_client.ts";
import {
  type Log,
  LOG_FORMATS,
  messageOf,
  oneLine,
  oneOf,
  openLog,
  printerFor,
} from "../shared/log.ts";
import { ResticFinder } from "./restic/version.ts";
import { makeProtectedFolders } from "./service/acl.ts";
import { removeOldLogs } from "./service/old_logs.ts";
import { installedSettings, runServiceCommand, SERVICE_COMMANDS } from "./service/commands.ts";
import { ServiceProblem } from "./service/service.ts";
import {
  agentFilePath,
  readAgentFile,
  readSettings,
  type Settings,
  WrongSetting,
} from "./settings.ts";
import { AlreadyRunning, holdStateDirectory } from "./single.ts";
import { takeOverState } from "./state_owner.ts";
import { readStatus } from "./status.ts";
import { refuseOpenAgentFile } from "./trusted_file.ts";
import { tokenState, whatItIs } from "./token.ts";
import { noteAgentFile, refuseCutAgentFile } from "./whole_agent_file.ts";
import { openAgent } from "./open.ts";

const EXIT = { done: 0, failed: 1, wrongUse: 2, tokenRefused: 3, refusedForGood: 7 } as const;

const HELP = `restic-manager-agent: runs restic on this machine as the restic-manager server says.

Usage: restic-manager-agent [command]

  run        connect to the server and work (the default)
  status     say how this machine stands; 0 when it is enrolled and restic is there, else 1
  restore    restore files of this machine's snapshots, also while the server is gone; see restore --help
  version    print the version
  install    join the server where RM_TOKEN is set, and make the agent a service that starts with the machine
  uninstall  stop and remove the service, its configuration, keys and state
  start      start the service
  stop       stop it: what runs is interrupted properly

Environment
  RM_SERVER      the server's address, such as https://backup.example.org
  RM_TOKEN       the one-time token that the server showed (RM_TOKEN_FILE: a file that holds it); without one the
                 machine shows a fingerprint and waits until an admin has accepted it. A new token on a machine that
                 is a host already: it becomes the host of that token
  RM_CONFIG_DIR  where agent.yaml lies
  RM_STATE_DIR   where the journal and the sealed plan lie
  RM_RESTIC      the path of restic; otherwise it is looked for on PATH
  RM_LOG_LEVEL   debug, info, warn or error
  RM_LOG_FORMAT  text (the default) or json: one object of JSON a line

agent.yaml: what the owner of this machine allows, whatever the server orders. The server cannot change it; it is read when the
agent starts, and a line that cannot be read keeps the agent from starting.
  allow_hooks: false             no hook is run; a backup that has one fails and says so
  allow_restore_in_place: false  nothing is restored over what is there
  roots: [/home, /srv]           what may be backed up or written by a restore, links resolved; [] is nothing
  repositories: [rest:https://backup.example.org/*]
                                 which repositories may be used; * stands for any part; [] is none
  certificate_authority: FILE    whom the connection to the server trusts

Exit codes: 0 done, 1 failed, 2 wrong use, 3 installed, but the token was refused and the machine stays what it was,
7 refused for good.
`;

export async function main(args: string[]): Promise<number> {
  const command = readCommand(args);
  switch (command) {
    case "help":
      console.log(HELP.trimEnd());
      return EXIT.done;
    case "version":
      console.log(versionLine("restic-manager-agent"));
      return EXIT.done;
    case "run":
      return await withSettings(run);
    case "status":
      return await withSettings(status, installedSettings);
    case "restore":
      return await withSettings(
        (settings) => restoreByHand(settings, args.slice(1)),
        installedSettings,
      );
    case "install":
    case "uninstall":
    case "start":
    case "stop":
      return await withSettings(
        async (settings) =>
          await runServiceCommand(command, settings) ? EXIT.done : EXIT.tokenRefused,
        installedSettings,
      );
    default:
      console.error(`${command} Try --help.`);
      return EXIT.wrongUse;
  }
}

/** The command, or a sentence that says what is wrong with the arguments. */
function readCommand(args: string[]): string {
  // It has arguments of its own.
  if (args[0] === "restore") return "restore";
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { help: { type: "boolean", short: "h" } },
    });
    if (values.help || positionals[0] === "help") return "help";
    const known = ["run", "status", "version", ...SERVICE_COMMANDS] as string[];
    const command = positionals[0] ?? "run";
    if (!known.includes(command)) return `There is no command "${command}".`;
    return positionals.length > 1 ? `${command} takes no arguments.` : command;
  } catch (error) {
    return messageOf(error).replace(/\.?$/, ".");
  }
}

/** What the environment does not say is taken from `further`. */
async function withSettings(
  act: (settings: Settings) => Promise<number>,
  further: () => Promise<Record<string, string>> = () => Promise.resolve({}),
): Promise<number> {
  trustSystemAuthorities();
  try {
    const rest = await further();
    return await act(readSettings((name) => Deno.env.get(name) ?? rest[name]));
  } catch (error) {
    const report = act === run ? reportEnd : (text: string) => console.error(visible(text));
    report(messageOf(error));
    if (error instanceof WrongSetting) return EXIT.wrongUse;
    if (error instanceof RefusedForGood) return EXIT.refusedForGood;
    const isExpected = error instanceof CorruptFile || error instanceof AlreadyRunning ||
      error instanceof EnrolmentRefused || error instanceof ServiceProblem;
    if (!isExpected) report(describe(error));
    return EXIT.failed;
  }
}

/** Why the agent ends, which may be in the server's words: a line of its log where that is JSON, else the sentence alone. */
function reportEnd(text: string): void {
  const logFormat = oneOf(LOG_FORMATS, Deno.env.get("RM_LOG_FORMAT")?.trim() ?? "");
  if (logFormat === "json") openLog({ logLevel: "error", logFormat }).error(text);
  else console.error(oneLine(text));
}

async function status(settings: Settings): Promise<number> {
  const { lines, isReady } = await readStatus(settings);
  console.log(lines.join("\n"));
  return isReady ? EXIT.done : EXIT.failed;
}

/** People and programs that write a file seldom think of its rights, and this one holds the bearer. */
function closeAgentFile({ configDir, bearer }: Settings, log: Log): void {
  const path = agentFilePath(configDir);
  if (!bearer || !closeToOthers(path)) return;
  log.warn(
    `${path} could be read by others on this machine; now only its owner can. Whoever has read it has this host's bearer: for another one make a new command in the host's settings and run it here`,
  );
}

async function run(settings: Settings): Promise<number> {
  const { server } = settings;
  if (!server) {
    throw new WrongSetting(
      "Set RM_SERVER to the server's address, such as https://backup.example.org.",
    );
  }
  refuseOpenAgentFile(settings.configDir);
  const log = openLog(settings);
  closeAgentFile(settings, log);
  logStrayErrors(log);
  await makeProtectedFolders(settings, log);
  removeOldLogs(settings.stateDir);
  using _held = holdStateDirectory(settings.stateDir);
  refuseCutAgentFile(settings);
  // Also that of a host, which does not need it now: whatever it is that damages files here, a person has to look.
  readIdentity(settings.stateDir);
  const client = clientFor(settings.certificateAuthority);
  const stop = stopOnSignals(log);
  const restic = new ResticFinder(settings.restic);
  const asking = { settings: { ...settings, server }, log, client, restic, signal: stop.signal };
  let who: { server: string; bearer: string };
  try {
    who = settings.bearer
      ? await stillOrAnew(asking, settings.bearer)
      : { server, bearer: await joinFirst(asking) };
  } catch (error) {
    if (stop.signal.aborted) return EXIT.done;
    throw error;
  }
  const { host_id: hostId, bearer } = readAgentFile(settings.configDir);
  noteAgentFile({ ...settings, bearer }, log);
  takeOverState(settings.stateDir, hostId, log);
  if (canBeReadOnTheWay(serverAddress(who.server) ?? "")) {
    log.warn(`${who.server}: ${CAN_BE_READ}`);
  }
  return await work({ settings: { ...settings, hostId, ...who }, log, client, stop });
}

type Starting = Omit<Announcing, "print">;

async function joinFirst(asking: Starting): Promise<string> {
  const { token } = asking.settings;
  return token
    ? await enrol({ ...asking, settings: { ...asking.settings, token } })
    : await announce({ ...asking, print: printerFor(asking.settings.logFormat) });
}

/** The newest thing that a person did on this machine wins, and which one that was is said. */
async function stillOrAnew(
  asking: Starting,
  bearer: string,
): Promise<{ server: string; bearer: string }> {
  const { settings, log } = asking;
  const { server, token, stored } = settings;
  const asBefore = { server: stored?.server ?? server, bearer };
  const state = tokenState(settings);
  if (token && state === "new") {
    const again = await joinAgain({ ...asking, settings: { ...settings, token } });
    if (again.outcome === "joined") return { server, bearer: again.bearer };
    const later = again.outcome === "unanswered" ? " The next start tries the token again." : "";
    log.warn(again.sentence + later);
    return asBefore;
  }
  if (state === "refused") {
    log.warn(`The token was refused before. This machine stays ${whatItIs(settings)}.`);
    return asBefore;
  }
  if (state === "used") log.debug("The token is the one by which this machine joined");
  if (server !== asBefore.server) {
    log.warn(
      `RM_SERVER is ${server} and agent.yaml says ${asBefore.server}: connecting to ${server} as ${
        whatItIs(settings)
      }. That is right for a server that has moved; to join another server, give RM_TOKEN as well.`,
    );
  }
  return { server, bearer };
}

interface Work {
  settings: Settings & { server: string; bearer: string };
  log: Log;
  client: Deno.HttpClient | undefined;
  stop: AbortController;
}

async function work({ settings, log, client, stop }: Work): Promise<number> {
  let code: number = EXIT.done;
  const onRefused = (reason: string) => {
    log.error(`The server refused this agent for good: ${reason}`);
    code = EXIT.refusedForGood;
    // What runs is not the server's business: its result is kept for the agent that replaces this one.
    agent.queue.whenIdle().finally(() => stop.abort());
  };
  const agent = openAgent({ settings, log, client, onRefused });
  await aborted(stop.signal);
  await agent.stop();
  log.info("Stopped");
  return code;
}

function stopOnSignals(log: Log): AbortController {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    try {
      Deno.addSignalListener(signal, () => {
        log.info(`${signal}: stopping`);
        controller.abort();
      });
    } catch {
      // Windows does not know every signal.
    }
  }
  return controller;
}

/** Whatever slips through is logged: an agent that dies of one fault takes a running backup with it. */
function logStrayErrors(log: Log): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    log.error(`Unhandled: ${describe(event.reason)}`);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    log.error(`Unhandled: ${describe(event.error ?? event.message)}`);
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}

if (import.meta.main) Deno.exit(await main(Deno.args));
