// A job's log and state as they come: first what is stored after the reader's last line, then what arrives, without a
// gap and without a repeat. The same feed serves the page (HTML) and the API (JSON).
import { hasEnded } from "../../shared/job.ts";
import type { Event } from "../events.ts";
import { getJob, type Job } from "../jobs/find.ts";
import { lastLineNumber, linesAfter } from "../jobs/lines.ts";
import type { Server } from "../server.ts";
import { oncePerJob } from "./shared_fragments.ts";
import type { Feed, Source } from "./sse.ts";
import type { StoredLine } from "../../shared/shapes/job.ts";

const PAGE = 500;

export interface JobFeedForm {
  /** Of those who may see the same. */
  name: string;
  /** Lines as events; the id of the last is the number of its last line. Called once per batch for all readers alike. */
  lines(lines: StoredLine[]): string;
  /** The job's state and progress, as events. */
  job(job: Job): string | Promise<string>;
}

/**
 * Batches are turned into text once, however many browsers watch: kept beside the batch for as long as it lives.
 */
const shared = new WeakMap<StoredLine[], Map<JobFeedForm, string>>();

export function jobFeed(
  server: Server,
  job: FedJob,
  after: number,
  form: JobFeedForm,
): (feed: Feed) => Source {
  return (feed) => new JobFeed(server, job, feed, { after, form });
}

interface FedJob {
  id: string;
  number: number;
}

class JobFeed implements Source {
  readonly #form: JobFeedForm;
  /** The number of the last line that was sent. */
  #cursor: number;
  /** There may be stored lines after it. */
  #isBehind = true;
  /** The job's state is another one than was sent. */
  #isStale = true;
  #isPumping = false;
  /** Something has come since the pump began its round. */
  #again = false;
  #isStopped = false;
  readonly #unsubscribe: (() => void)[];

  constructor(
    private readonly server: Server,
    private readonly job: FedJob,
    private readonly feed: Feed,
    { after, form }: { after: number; form: JobFeedForm },
  ) {
    this.#cursor = after;
    this.#form = form;
    this.#unsubscribe = [`job:${job.id}`, "notice"].map((topic) =>
      server.events.subscribe(topic, (event) => this.#hear(event))
    );
  }

  async pump(): Promise<void> {
    this.#again = true;
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (this.#again && !this.#isStopped) {
        this.#again = false;
        this.#catchUp();
        await this.#showJob();
      }
    } finally {
      this.#isPumping = false;
    }
  }

  stop(): void {
    this.#isStopped = true;
    for (const end of this.#unsubscribe) end();
  }

  #catchUp(): void {
    while (this.#isBehind && this.feed.ready) {
      const lines = linesAfter(this.server, this.job.number, this.#cursor, PAGE);
      if (lines.length > 0) {
        this.#cursor = lines[lines.length - 1]!.line;
        this.feed.sendRaw(this.#form.lines(lines));
      }
      this.#isBehind = lines.length === PAGE;
    }
  }

  async #showJob(): Promise<void> {
    while (this.#isStale && this.feed.ready && !this.#isBehind) {
      this.#isStale = false;
      const { now, text } = await this.#made();
      this.#catchUp();
      if (this.#isStopped) return;
      this.feed.sendRaw(text);
      if (hasEnded(now.status) && this.#hasSentAll()) {
        this.feed.send({ event: "end", data: now.status });
        return this.feed.close();
      }
      // Ended, but lines are still to come: look again when they have been shown.
      this.#isStale = hasEnded(now.status);
      if (this.#isStale && !this.#isBehind) this.#isBehind = true;
    }
  }

  async #made(): Promise<{ now: Job; text: string }> {
    const about = { jobId: this.job.id, key: this.#form.name };
    return await oncePerJob(this.server, about, async () => {
      const now = await getJob(this.server, this.job.id);
      return { now, text: await this.#form.job(now) };
    });
  }

  #hasSentAll(): boolean {
    return !this.#isBehind && this.#cursor >= lastLineNumber(this.server, this.job.number);
  }

  #hear(event: Event): void {
    if (event.type !== "lines") this.#isStale = true;
    else if (this.#takes(event.lines)) return;
    this.pump().catch((error) => {
      this.server.log.error(`live stream: ${error}`);
      this.feed.close();
    });
  }

  /** True when nothing is left to be done for these lines. */
  #takes(lines: StoredLine[]): boolean {
    const [first, last] = [lines[0]!.line, lines[lines.length - 1]!.line];
    if (last <= this.#cursor) return true;
    if (!this.#isBehind && this.feed.ready && first === this.#cursor + 1) {
      this.#cursor = last;
      this.feed.sendRaw(textOf(lines, this.#form));
      return true;
    }
    this.#isBehind = true;
    return false;
  }
}

function textOf(lines: StoredLine[], form: JobFeedForm): string {
  const forms = shared.get(lines) ?? new Map<JobFeedForm, string>();
  shared.set(lines, forms);
  let text = forms.get(form);
  if (text === undefined) forms.set(form, text = form.lines(lines));
  return text;
}
