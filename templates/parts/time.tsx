import { exact, inZone, iso, relative } from "../format.ts";

/** "8m ago" with the exact time behind it; app.js keeps it ticking. */
export function Time({ at, now }: { at: number; now: number }) {
  return <time datetime={iso(at)} title={exact(at)} data-rel="">{relative(at, now)}</time>;
}

/** A time that does not tick, in words of its own, with the exact one behind it. */
export function At({ at, text }: { at: number; text?: string }) {
  return <time datetime={iso(at)} title={exact(at)}>{text ?? exact(at)}</time>;
}

/** The one printing of a moment of a snapshot: in UTC, its age, and what the host's clock said. `href` makes the time a link. */
export function When(
  { at, now, zone, href }: { at: number; now: number; zone: string | null; href?: string },
) {
  const time = <At at={at} />;
  return (
    <>
      {href ? <a href={href}>{time}</a> : time}{" "}
      <span class="muted small">
        (<Time at={at} now={now} />
        {zone && zone !== "UTC" && `, ${inZone(at, zone)} in ${zone}`})
      </span>
    </>
  );
}
