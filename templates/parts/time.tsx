import { exact, iso, relative } from "../format.ts";

/** "8m ago" with the exact time behind it; app.js keeps it ticking. */
export function Time({ at, now }: { at: number; now: number }) {
  return <time datetime={iso(at)} title={exact(at)} data-rel="">{relative(at, now)}</time>;
}

/** A time that does not tick, in words of its own, with the exact one behind it. */
export function At({ at, text }: { at: number; text?: string }) {
  return <time datetime={iso(at)} title={exact(at)}>{text ?? exact(at)}</time>;
}
