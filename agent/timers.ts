// The host's own clock: starts what the plan says, with or without a server. What is to run is on disk before it starts,
// so that a crash neither loses nor repeats it.
import { z } from "zod";
import { lastRunBetween, nextRun } from "../shared/cron.ts";
import { id } from "../shared/fields.ts";
import { newId } from "../shared/new_id.ts";
import { Origin, type PlannedSchedule } from "../shared/protocol.ts";
import { spanInWords } from "../shared/span.ts";
import type { Agent } from "./agent.ts";
import { JumpWatch, MACHINE, type TimeSource } from "./clock.ts";
import { messageOf } from "../shared/log.ts";
import { jsonAs } from "./state/folder.ts";

export interface Clock extends TimeSource {
  /** A missed run begins within this many milliseconds after the machine is back, so that a fleet spreads. */
  catchUpWithinMs: number;
  /** How often to look at the least: a machine that slept is noticed after this. */
  lookMs: number;
}

export const CLOCK: Clock = { ...MACHINE, catchUpWithinMs: 120_000, lookMs: 30_000 };

/** Later than this after its fire time a run is a catch-up. */
const LATE_MS = 120_000;
/**
 * A clock that goes back by no more than this was set right: what has run is not run again when its time comes a second time. One that
 * was further ahead was wrong, and what ran by it was not the run that is due.
 */
const SET_RIGHT_MS = 3 * 3_600_000;
/** No wait is longer: what is due later than that was put down by a clock that was ahead. */
const LONGEST_WAIT_MS = 25 * 3_600_000;

const Pending = z.object({ job_id: id, due_at: z.number(), origin: Origin });
export type Pending = z.infer<typeof Pending>;

const Content = z.object({
  /** Per schedule: for which expression fire times have been dealt with, and up to when. */
  schedules: z.record(
    z.string(),
    z.object({
      key: z.string(),
      considered_at: z.number(),
      /** Fire times of the last hours that were dealt with. */
      fired: z.array(z.number()).optional(),
    }),
  ),
  /** Runs that wait for their moment: catch-ups and further tries. */
  pending: z.array(Pending),
});

const FILE = "timers.json";

export class Timers {
  #content: z.infer<typeof Content> = { schedules: {}, pending: [] };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  readonly #jumps: JumpWatch;
  /** Schedules of which that was logged. */
  readonly #unreadable = new Set<string>();

  /** Never throws: without a state of before every schedule counts from now. */
  constructor(private readonly agent: Agent, private readonly clock: Clock) {
    this.#jumps = new JumpWatch(clock);
    const { value, damage } = agent.state.read(FILE, jsonAs(Content));
    if (value) this.#content = value;
    if (!damage) return;
    agent.state.problems.happened(
      `${damage.what}. Schedules count from now: what was due before and had not begun is not made up for.`,
      damage.aside,
    );
  }

  /** Looks at the plan and the clock now, and again when something is due. */
  look(): void {
    if (this.#stopped) return;
    this.#followClock();
    this.#adoptPlan();
    this.#collectFires();
    this.#startDue();
    this.#setTimer();
  }

  /** Runs again later: another try, or what an interruption took away. */
  later(origin: Origin, dueAt: number): void {
    // `dueAt` is of the clock as it is now.
    this.#followClock();
    this.#save({ pending: [...this.#content.pending, { job_id: newId(), due_at: dueAt, origin }] });
    this.#setTimer();
  }

  /** A scheduled run that was interrupted is made up for once. */
  catchUp(origin: Origin): void {
    if (origin.catch_up) return;
    this.later({ ...origin, catch_up: true }, this.#soon());
  }

  get now(): number {
    return this.clock.now();
  }

  get pending(): readonly Pending[] {
    return this.#content.pending;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  get #plan(): PlannedSchedule[] {
    return this.agent.plan.schedule?.schedules ?? [];
  }

  /** A schedule that is new, or says something else now, counts from now on: what lay before it was not missed. */
  #adoptPlan(): void {
    // Where the plan was lost, what is known of its schedules waits for the next one.
    if (!this.agent.plan.schedule) return;
    const now = this.now;
    const known = this.#content.schedules;
    const schedules: typeof known = {};
    for (const schedule of this.#plan) {
      const key = `${schedule.time_zone} ${schedule.cron}`;
      const before = known[schedule.id];
      schedules[schedule.id] = before?.key === key ? before : { key, considered_at: now };
    }
    const pending = this.#content.pending.filter(({ origin }) => origin.schedule_id in schedules);
    this.#saveChanged({ schedules, pending });
  }

  /** Whatever waits goes on waiting as long as before, and a clock that went back keeps no schedule from firing. */
  #followClock(): void {
    const now = this.now;
    const jump = this.#jumps.look();
    if (jump !== 0) {
      const how = `${jump > 0 ? "forwards" : "back"} by ${spanInWords(jump)}`;
      this.agent.log.warn(`This machine's clock was set ${how}, or it slept`);
    }
    const pending = this.#content.pending.map((each) => ({
      ...each,
      due_at: Math.min(each.due_at + jump, now + LONGEST_WAIT_MS),
    }));
    const schedules = Object.fromEntries(
      Object.entries(this.#content.schedules).map(([id, state]) => [id, heldTo(now, state)]),
    );
    this.#saveChanged({ schedules, pending });
  }

  /** The disk is left alone at looks that find nothing. */
  #saveChanged({ schedules, pending }: z.infer<typeof Content>): void {
    if (JSON.stringify({ schedules, pending }) !== JSON.stringify(this.#content)) {
      this.#save({ schedules, pending });
    }
  }

  /** Several misses count as the last one; none is run twice. */
  #collectFires(): void {
    const now = this.now;
    const found: Pending[] = [];
    const schedules = { ...this.#content.schedules };
    let hasFired = false;
    for (const schedule of this.#plan) {
      const state = schedules[schedule.id]!;
      const fired = this.#ask(
        schedule,
        () => lastRunBetween(schedule.cron, state.considered_at, now, schedule.time_zone),
      );
      if (fired === null) continue;
      const before = state.fired ?? [];
      schedules[schedule.id] = {
        ...state,
        considered_at: now,
        fired: [...before.filter((at) => at > now - SET_RIGHT_MS && at !== fired), fired],
      };
      hasFired = true;
      if (!before.includes(fired)) found.push(...this.#runsOf(schedule, fired));
    }
    if (hasFired) this.#save({ schedules, pending: [...this.#content.pending, ...found] });
  }

  #runsOf(schedule: PlannedSchedule, scheduled_at: number): Pending[] {
    const repository_id = this.agent.plan.config?.repository?.id;
    if (!repository_id) {
      this.agent.log.error("A schedule fired, but this host has no repository.");
      return [];
    }
    const isLate = this.now - scheduled_at > LATE_MS;
    const due_at = isLate ? this.#soon() : this.now;
    const groups = this.agent.plan.schedule?.source_groups ?? [];
    return schedule.source_group_ids.flatMap((groupId) => {
      const group = groups.find((each) => each.id === groupId);
      if (!group) return [];
      const origin: Origin = {
        kind: "backup",
        repository_id,
        schedule_id: schedule.id,
        source_group_id: group.id,
        source_group_name: group.name,
        scheduled_at,
        catch_up: isLate,
        attempt: 1,
      };
      return [{ job_id: newId(), due_at, origin }];
    });
  }

  /** Into the ledger first, out of here after: a crash between them finds the job known and drops it here. */
  #startDue(): void {
    const now = this.now;
    const due = this.#content.pending.filter(({ due_at }) => due_at <= now);
    if (due.length === 0) return;
    for (const each of due) this.agent.queue.acceptScheduled(each.job_id, each.origin);
    this.#save({ pending: this.#content.pending.filter((each) => !due.includes(each)) });
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    const now = this.now;
    const moments = [
      ...this.#plan.map((schedule) =>
        this.#ask(schedule, () => nextRun(schedule.cron, now, schedule.time_zone))
      ),
      ...this.#content.pending.map(({ due_at }) => due_at),
    ].filter((at) => at !== null);
    const wait = Math.min(this.clock.lookMs, ...moments.map((at) => Math.max(0, at - now)));
    this.#timer = setTimeout(() => this.#guardedLook(), wait);
  }

  /** A schedule that this agent cannot read, such as one in a time zone that it does not know, stops no other one. */
  #ask(schedule: PlannedSchedule, question: () => number | null): number | null {
    try {
      return question();
    } catch (error) {
      const text = `"${schedule.cron}" (${schedule.time_zone})`;
      if (!this.#unreadable.has(text)) {
        this.agent.log.error(`The schedule ${text} never fires here: ${messageOf(error)}`);
      }
      this.#unreadable.add(text);
      return null;
    }
  }

  #guardedLook(): void {
    try {
      this.look();
    } catch (error) {
      // A fault in one look must not end the clock.
      this.agent.log.error(`The clock: ${messageOf(error)}`);
      this.#timer = setTimeout(() => this.#guardedLook(), this.clock.lookMs);
    }
  }

  #soon(): number {
    return this.now + Math.random() * this.clock.catchUpWithinMs;
  }

  /** A full disk must not keep this host from being backed up: what it does not take is kept in memory. */
  #save(change: Partial<z.infer<typeof Content>>): void {
    this.#content = { ...this.#content, ...change };
    this.agent.state.write(FILE, JSON.stringify(this.#content));
  }
}

type ScheduleState = z.infer<typeof Content>["schedules"][string];

/** A state of a time that is still to come was put down by a clock that was ahead. */
function heldTo(now: number, state: ScheduleState): ScheduleState {
  if (state.considered_at <= now) return state;
  const wasWrong = state.considered_at > now + SET_RIGHT_MS;
  return { ...state, considered_at: now, fired: wasWrong ? [] : state.fired ?? [] };
}
