// A job's log and state as they come: first what is stored after the reader's last line, then what arrives, without a
// gap and without a repeat. The same feed serves the page (HTML) and the API (JSON).
import { hasEnded } from "../../shared/job.ts";
import type { Event } from "../events.ts";
import { getJob, type Job } from "../jobs/find.ts";
import { lastLineNumber, linesAfter } from "../jobs/lines.ts";
import type { Server } from "../server.ts";
import { oncePerJob } from "./shared_fragments.ts";
import type { Feed, Source } from "./sse.ts";
import type { StoredLine } from "../jobs/stored_line.ts";

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
  job: { id: string; number: number },
  after: number,
  form: JobFeedForm,
): (feed: Feed) => Source {
  return (feed) => {
    let cursor = after;
    let behind = true;
    let stale = true;
    let pumping = false;
    let again = false;
    let stopped = false;

    const catchUp = () => {
      while (behind && feed.ready) {
        const lines = linesAfter(server, job.number, cursor, PAGE);
        if (lines.length > 0) {
          cursor = lines[lines.length - 1]!.n;
          feed.sendRaw(form.lines(lines));
        }
        behind = lines.length === PAGE;
      }
    };
    const showJob = async () => {
      while (stale && feed.ready && !behind) {
        stale = false;
        const { now, text } = await oncePerJob(
          server,
          { jobId: job.id, key: form.name },
          async () => {
            const now = await getJob(server, job.id);
            return { now, text: await form.job(now) };
          },
        );
        catchUp();
        if (stopped) return;
        feed.sendRaw(text);
        if (hasEnded(now.status) && !behind && cursor >= lastLineNumber(server, job.number)) {
          feed.send({ event: "end", data: now.status });
          return feed.close();
        }
        // Ended, but lines are still to come: look again when they have been shown.
        stale = hasEnded(now.status);
        if (stale && !behind) behind = true;
      }
    };
    const pump = async () => {
      again = true;
      if (pumping) return;
      pumping = true;
      try {
        while (again && !stopped) {
          again = false;
          catchUp();
          await showJob();
        }
      } finally {
        pumping = false;
      }
    };
    const hear = (event: Event) => {
      if (event.type === "lines") {
        const first = event.lines[0]!.n;
        const last = event.lines[event.lines.length - 1]!.n;
        if (last <= cursor) return;
        if (!behind && feed.ready && first === cursor + 1) {
          cursor = last;
          feed.sendRaw(textOf(event.lines, form));
          return;
        }
        behind = true;
      } else {
        stale = true;
      }
      pump().catch((error) => {
        server.log.error(`live stream: ${error}`);
        feed.close();
      });
    };
    const unsubscribe = [`job:${job.id}`, "notice"].map((topic) =>
      server.events.subscribe(topic, hear)
    );
    return {
      pump,
      stop: () => {
        stopped = true;
        for (const end of unsubscribe) end();
      },
    };
  };
}

function textOf(lines: StoredLine[], form: JobFeedForm): string {
  const forms = shared.get(lines) ?? new Map<JobFeedForm, string>();
  shared.set(lines, forms);
  let text = forms.get(form);
  if (text === undefined) forms.set(form, text = form.lines(lines));
  return text;
}
