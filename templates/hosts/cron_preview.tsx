// What a cron expression means: live while it is typed, and on the page itself.
import { At } from "../parts/time.tsx";
import { exact } from "../format.ts";

export interface CronPreviewProps {
  /** In plain words; null when what is typed is no schedule, and `problem` says why. */
  words: string | null;
  problem: string | null;
  /** The next fire times. */
  next: number[];
  timeZone: string;
}

export function CronPreview({ words, problem, next, timeZone }: CronPreviewProps) {
  return (
    <div id="cron-preview" class="stack" aria-live="polite">
      {words && (
        <p>
          <b>{words}</b>
        </p>
      )}
      {problem && <p class="muted">{problem}</p>}
      {next.length > 0 && (
        <ol class="next-runs muted">
          {next.map((at) => (
            <li>
              <At at={at} text={inZone(at, timeZone)} />
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

/** "Mon 23 Nov 2026, 03:00" in the host's own time zone; UTC stands behind it. */
function inZone(at: number, timeZone: string): string {
  try {
    return new Intl.DateTimeFormat("en-GB", {
      timeZone,
      weekday: "short",
      day: "numeric",
      month: "short",
      year: "numeric",
      hour: "2-digit",
      minute: "2-digit",
    }).format(at);
  } catch {
    return exact(at);
  }
}
