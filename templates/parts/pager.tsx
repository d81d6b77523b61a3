/** Pages by address: older and newer are links, so that they work with scripts off and can be kept. */
export function Pager(
  { words, previous, next, previousLabel = "Previous", nextLabel = "Next" }: {
    words?: string;
    previous?: string;
    next?: string;
    previousLabel?: string;
    nextLabel?: string;
  },
) {
  if (!words && !previous && !next) return null;
  return (
    <nav class="pager" aria-label="Pages">
      <span>{words}</span>
      <span class="actions">
        {previous && <a class="button" href={previous} rel="prev">{previousLabel}</a>}
        {next && <a class="button" href={next} rel="next">{nextLabel}</a>}
      </span>
    </nav>
  );
}
