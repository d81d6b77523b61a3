// What is wrong with the agent itself, for the server, for `status` and for a person: what happened (a file was damaged) is kept
// until a person has removed the file that was put aside; what lasts (a full disk, a plan that was refused) is seen again at each start.
import { z } from "zod";
import {
  AGENT_PROBLEM_LENGTH,
  AGENT_PROBLEMS_LIMIT,
  type AgentProblem,
  type AgentProblemKind,
} from "../../shared/protocol.ts";
import { visible } from "../../shared/redact.ts";
import type { Log } from "../../shared/log.ts";

/** Where what happened is kept. */
export const PROBLEMS_FILE = "problems.json";

const Event = z.object({
  text: z.string(),
  since: z.int().min(0),
  /** The file that was put aside; without one it stays until there are too many. */
  aside: z.string().nullable(),
});
export const StoredProblems = z.object({
  events: z.array(Event),
  /** Of the run that wrote it, for `status` alone. */
  lasting: z.array(z.string()).default([]),
});
type Event = z.infer<typeof Event>;

type Lasting = Exclude<AgentProblemKind, "state_damaged">;
const EVENTS_LIMIT = AGENT_PROBLEMS_LIMIT - 4;

export class Problems {
  /** Called when the list has changed. */
  onChange: () => void = () => {};
  #events: Event[] = [];
  /** By what they are about, such as the kind of message that was refused. */
  readonly #lasting = new Map<string, AgentProblem>();

  constructor(
    private readonly log: Log,
    private readonly save: (content: string) => void,
    private readonly now: () => number = Date.now,
  ) {}

  /** What an earlier run noted, where the file that was put aside is still there. */
  adopt(events: readonly Event[], isThere: (path: string) => boolean): void {
    this.#events = events.filter(({ aside }) => aside === null || isThere(aside))
      .slice(-EVENTS_LIMIT);
    if (this.#events.length !== events.length) this.#store();
  }

  /** The lasting ones first, then what happened, the newest first. */
  get list(): AgentProblem[] {
    const events = this.#events.map(({ text, since }): AgentProblem => ({
      kind: "state_damaged",
      text,
      since,
    }));
    return [...this.#lasting.values(), ...events.reverse()].slice(0, AGENT_PROBLEMS_LIMIT);
  }

  /** Something happened that a person should know. Goes into the log too. */
  happened(sentence: string, aside: string | null): void {
    const text = shown(sentence);
    this.log.error(text);
    this.#events = [...this.#events, { text, since: this.now(), aside }].slice(-EVENTS_LIMIT);
    this.#store();
    this.onChange();
  }

  /** `about` is wrong until it ends; logged when it begins and when its sentence is another one. */
  begins(kind: Lasting, about: string, sentence: string): void {
    const text = shown(sentence);
    const before = this.#lasting.get(about);
    if (before?.text === text) return;
    this.log.error(text);
    this.#lasting.set(about, { kind, text, since: before?.since ?? this.now() });
    this.#store();
    this.onChange();
  }

  ends(about: string, sentence: string): void {
    if (!this.#lasting.delete(about)) return;
    this.log.info(sentence);
    this.#store();
    this.onChange();
  }

  #store(): void {
    const lasting = [...this.#lasting.values()].map(({ text }) => text);
    this.save(JSON.stringify({ events: this.#events, lasting }));
  }
}

function shown(text: string): string {
  return visible(text).replaceAll("\n", " ").slice(0, AGENT_PROBLEM_LENGTH).toWellFormed();
}
