// The agent's parts and how they hang together: the first argument of whatever acts for this host.
import { type Hello, PROTOCOL_VERSION } from "../shared/protocol.ts";
import { VERSION } from "../shared/version.ts";
import { type Brake, NO_BRAKE, reportOf } from "./brake/brake.ts";
import { Connection, PACE } from "./connection.ts";
import type { Pace } from "./session.ts";
import { JobQueue } from "./jobs/queue.ts";
import { finishAbandoned } from "./jobs/finish.ts";
import { removeHookFiles } from "./jobs/hook_shell.ts";
import { Ledger } from "./jobs/ledger.ts";
import type { ProcessMark } from "./process.ts";
import { Journal, type JournalOptions } from "./journal/journal.ts";
import { FileSystemMemory } from "./file_systems.ts";
import type { Log } from "./log.ts";
import { describeMachine } from "./machine.ts";
import { Plan } from "./plan.ts";
import { receive } from "./receive.ts";
import { LIMITS, type Limits } from "./restic/run.ts";
import { ResticFinder, ResticProblem } from "./restic/version.ts";
import type { Settings } from "./settings.ts";
import { CLOCK, type Clock, Timers } from "./timers.ts";

export interface Agent {
  settings: Settings;
  /** What the machine's owner allows. */
  brake: Brake;
  log: Log;
  journal: Journal;
  ledger: Ledger;
  plan: Plan;
  /** Which run of the agent this is: random, in memory alone, so that no copy of its state has it. */
  instance: string;
  queue: JobQueue;
  timers: Timers;
  connection: Connection;
  restic: ResticFinder;
  fileSystems: FileSystemMemory;
  limits: Limits;
  /** What an earlier agent left running and this one killed. */
  orphans: ProcessMark[];
  environment: (name: string) => string | undefined;
  /** Ends running jobs within the grace, tells the journal, closes the socket. */
  stop: () => Promise<void>;
}

export interface AgentOptions {
  settings: Settings & { server: string; bearer: string };
  log: Log;
  client?: Deno.HttpClient;
  limits?: Partial<Limits>;
  pace?: Partial<Pace>;
  clock?: Partial<Clock>;
  journal?: Partial<JournalOptions>;
  /** The server refuses this agent for good. */
  onRefused?: (reason: string) => void;
}

/** Opens the state, answers for what an earlier run left, and connects. Throws CorruptFile. The state directory is held by the caller. */
export function openAgent(options: AgentOptions): Agent {
  const { settings, log } = options;
  const journal = Journal.open(settings.stateDir, { log, ...options.journal });
  try {
    return assemble(options, journal);
  } catch (error) {
    journal.close();
    throw error;
  }
}

function assemble(options: AgentOptions, journal: Journal): Agent {
  const { settings, log } = options;
  const agent = {
    settings,
    brake: settings.brake ?? NO_BRAKE,
    log,
    journal,
    ledger: new Ledger(settings.stateDir, log),
    plan: new Plan(settings.stateDir, log),
    instance: crypto.getRandomValues(new Uint8Array(16)).toHex(),
    restic: new ResticFinder(settings.restic),
    fileSystems: new FileSystemMemory(settings.stateDir, log),
    limits: { ...LIMITS, ...options.limits },
    orphans: [] as ProcessMark[],
    environment: (name: string) => Deno.env.get(name),
  } as Agent;
  agent.queue = new JobQueue(agent);
  agent.connection = new Connection({
    server: settings.server,
    bearer: settings.bearer,
    client: options.client,
    journal,
    log,
    pace: { ...PACE, ...options.pace },
    hello: () => sayHello(agent),
    onMessage: (message) => receive(agent, message),
    onRefused: (reason) => options.onRefused?.(reason),
  });
  agent.stop = () => stop(agent);
  agent.timers = new Timers(agent, { ...CLOCK, ...options.clock });
  removeHookFiles(settings.stateDir, log);
  finishAbandoned(agent);
  agent.timers.look();
  agent.connection.open();
  return agent;
}

/** A service manager kills what takes longer to stop than about fifteen seconds. */
const STOP_MS = 15_000;

async function stop(agent: Agent): Promise<void> {
  agent.timers.stop();
  let timer: number | undefined;
  const tooLong = new Promise<void>((resolve) => timer = setTimeout(resolve, STOP_MS));
  // What does not end in time is answered for at the next start.
  await Promise.race([agent.queue.stop(), tooLong]);
  clearTimeout(timer);
  await agent.connection.close();
  agent.journal.close();
}

async function sayHello(agent: Agent): Promise<Hello> {
  const { hostname, os, arch, bootTime } = describeMachine();
  const restic = await agent.restic.find().catch((error: unknown) => error);
  const problem = restic instanceof ResticProblem ? restic.message : undefined;
  const brakes = reportOf(agent.brake);
  return {
    type: "hello",
    protocol: PROTOCOL_VERSION,
    agent_version: VERSION,
    restic_version: restic instanceof Error ? null : (restic as { version: string }).version,
    ...(problem ? { restic_problem: problem.slice(0, 500) } : {}),
    instance: agent.instance,
    hostname,
    os,
    arch,
    boot_time: bootTime,
    clock: Date.now(),
    plan_version: agent.plan.version,
    ...(brakes ? { brakes } : {}),
    jobs: [...new Set([...agent.queue.ids, ...agent.journal.unacknowledgedEnds])].slice(0, 10_000),
  };
}
