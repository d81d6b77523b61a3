import { visible } from "../../shared/redact.ts";

/** Something people paste elsewhere. */
export function Copyable({ text, what }: { text: string; what: string }) {
  return (
    <span class="copyable">
      <code>{visible(text)}</code>
      <button type="button" class="copy" aria-label={`Copy ${what}`}>Copy</button>
    </span>
  );
}

/** A whole command, in a box of its own. */
export function Command({ text, what }: { text: string; what: string }) {
  return (
    <div class="command">
      <code>{visible(text)}</code>
      <button type="button" class="copy" aria-label={`Copy ${what}`}>Copy</button>
    </div>
  );
}
