// Settings → an agent that is at work. Wiring only.
import { join } from "node:path";
import { type Hello, PROTOCOL_VERSION } from "../shared/protocol.ts";
import { VERSION } from "../shared/version.ts";
import { NO_BRAKE, reportOf } from "./brake/brake.ts";
import type { TimeSource } from "./clock.ts";
import { Connection, PACE } from "./connection.ts";
import type { Pace } from "./session.ts";
import { JobQueue } from "./jobs/queue.ts";
import { endLeftOver } from "./jobs/survivors.ts";
import { isThere } from "./files.ts";
import { finishAbandoned } from "./jobs/finish.ts";
import { removeHookFiles } from "./jobs/hook_shell.ts";
import { Ledger } from "./jobs/ledger.ts";
import type { ProcessMark } from "./process.ts";
import { Journal, type JournalOptions } from "./journal/journal.ts";
import { removeOldListings } from "./restore/expected.ts";
import { UnfinishedRestores } from "./restore/unfinished.ts";
import { FileSystemMemory } from "./file_systems.ts";
import type { Log } from "../shared/log.ts";
import { describeMachine } from "./machine.ts";
import { Plan } from "./plan.ts";
import { readBootId } from "./proc.ts";
import { receive, refuse } from "./receive.ts";
import { ResticFinder, ResticProblem } from "./restic/version.ts";
import type { Settings } from "./settings.ts";
import { StateFolder } from "./state/folder.ts";
import { produce, PRODUCERS, type Producers } from "./streams/producers.ts";
import { RunningStreams } from "./streams/running.ts";
import { CLOCK, type Clock, Timers } from "./timers.ts";
import type { Agent } from "./agent.ts";
import { TIMEOUTS, type Timeouts } from "./restic/context.ts";

export interface AgentOptions {
  settings: Settings & { server: string; bearer: string };
  log: Log;
  client?: Deno.HttpClient;
  timeouts?: Partial<Timeouts>;
  pace?: Partial<Pace>;
  clock?: Partial<Clock>;
  journal?: Partial<JournalOptions>;
  /** What makes the bytes of streams; tests have others. */
  producers?: Partial<Producers>;
  /** The server refuses this agent for good. */
  onRefused?: (reason: string) => void;
}

/**
 * Opens the state, answers for what an earlier run left, and connects. Files of the state that are damaged are put aside. The state
 * directory is held by the caller.
 */
export function openAgent(options: AgentOptions): Agent {
  const { settings, log } = options;
  const state = new StateFolder(settings.stateDir, log);
  // Before the journal makes one.
  const hasWorked = isThere(join(settings.stateDir, "journal"));
  const journal = Journal.open(settings.stateDir, {
    log,
    onDamage: (sentence, aside) => state.problems.happened(sentence, aside),
    onWritten: (error) => state.noteWritable("reports for the server", error),
    ...options.journal,
  });
  try {
    return assemble(options, { state, journal, hasWorked });
  } catch (error) {
    journal.close();
    state.close();
    throw error;
  }
}

interface Opened {
  state: StateFolder;
  journal: Journal;
  /** An agent worked in this state folder before. */
  hasWorked: boolean;
}

function assemble(options: AgentOptions, { state, journal, hasWorked }: Opened): Agent {
  const { settings, log } = options;
  removeOldListings({ path: state.path, log });
  const plan = new Plan(state);
  const bootId = readBootId();
  const clock: Clock = { ...CLOCK, ...options.clock };
  const agent = {
    settings,
    brake: settings.brake ?? NO_BRAKE,
    log,
    state,
    journal,
    ledger: new Ledger(state, {
      mustBeThere: hasWorked,
      bootId,
      onLost: (what, aside) => state.problems.happened(`${what}. ${lostWithLedger(plan)}`, aside),
    }),
    plan,
    bootId,
    instance: crypto.getRandomValues(new Uint8Array(16)).toHex(),
    restic: new ResticFinder(settings.restic),
    fileSystems: new FileSystemMemory(state),
    restores: new UnfinishedRestores(state),
    timeouts: { ...TIMEOUTS, ...options.timeouts },
    orphans: [] as ProcessMark[],
    clock: clock as TimeSource,
    environment: (name: string) => Deno.env.get(name),
  } as Agent;
  agent.queue = new JobQueue(agent);
  const producers = { ...PRODUCERS, ...options.producers };
  agent.connection = new Connection({
    server: settings.server,
    bearer: settings.bearer,
    client: options.client,
    journal,
    log,
    pace: { ...PACE, ...options.pace },
    hello: () => sayHello(agent),
    clock,
    streams: new RunningStreams((request, signal) => produce(producers, agent, request, signal)),
    onMessage: (message) => receive(agent, message),
    onUnreadable: (unreadable) => refuse(agent, unreadable),
    onRefused: (reason) => options.onRefused?.(reason),
  });
  let stopped: Promise<void> | undefined;
  agent.stop = () => stopped ??= stop(agent);
  agent.timers = new Timers(agent, clock);
  state.problems.onChange = () =>
    agent.connection.send({ type: "problems", problems: state.problems.list });
  removeHookFiles(settings.stateDir, log);
  endLeftOver(agent);
  finishAbandoned(agent);
  agent.timers.look();
  agent.connection.open();
  return agent;
}

/** What nobody knows any more, for a person. */
function lostWithLedger({ schedule }: Plan): string {
  const groups = schedule?.source_groups.filter(({ hooks }) => hooks?.post_hook !== undefined) ??
    [];
  const names = groups.map(({ name }) => `"${name}"`);
  const listed = names.slice(0, 5).join(", ") +
    (names.length > 5 ? ` and ${names.length - 5} more` : "");
  const hooks = names.length > 0
    ? `If a job was running, the post_hook of ${listed} may not have run: look whether what its pre_hook stopped works again.`
    : schedule
    ? "No source group has a post_hook."
    : "A post_hook may not have run; which one is not known, since there is no plan.";
  return `Which jobs were running is not known. ${hooks} The next job that writes removes locks of dead processes first.`;
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
  agent.state.close();
}

async function sayHello(agent: Agent): Promise<Hello> {
  const { hostname, os, arch, bootTime } = describeMachine();
  const restic = await agent.restic.find().catch((error: unknown) => error);
  const problem = restic instanceof ResticProblem ? restic : undefined;
  const brakes = reportOf(agent.brake);
  return {
    type: "hello",
    protocol: PROTOCOL_VERSION,
    agent_version: VERSION,
    restic_version: restic instanceof Error ? null : (restic as { version: string }).version,
    ...(problem
      ? { restic_problem: problem.message.slice(0, 500), restic_problem_code: problem.code }
      : {}),
    instance: agent.instance,
    hostname,
    os,
    arch,
    boot_time: bootTime,
    clock: agent.clock.now(),
    stream_kinds: Object.keys(PRODUCERS),
    plan_version: agent.plan.version,
    ...(brakes ? { brakes } : {}),
    jobs: [...new Set([...agent.queue.ids, ...agent.journal.unacknowledgedEnds])].slice(0, 10_000),
    ...(agent.bootId ? { boot_id: agent.bootId } : {}),
    ...(agent.ledger.isLost ? { ledger_lost: true } : {}),
    problems: agent.state.problems.list,
  };
}
