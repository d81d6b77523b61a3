/** Something people paste elsewhere. `text` is copied whole even where `shown` is shorter. */
export function Copyable({ text, what }: { text: string; what: string }) {
  return (
    <span class="copyable">
      <code>{text}</code>
      <button type="button" class="copy" aria-label={`Copy ${what}`}>Copy</button>
    </span>
  );
}

/** A whole command, in a box of its own. */
export function Command({ text, what }: { text: string; what: string }) {
  return (
    <div class="command">
      <code>{text}</code>
      <button type="button" class="copy" aria-label={`Copy ${what}`}>Copy</button>
    </div>
  );
}
