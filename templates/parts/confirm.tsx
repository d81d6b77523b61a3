// An act that is hard to take back unfolds first and says what it does; nothing pops up.
import type { Child } from "hono/jsx";
import { Csrf } from "./csrf.tsx";

export function Confirm(
  { label, to, csrf, button, isDangerous = false, children }: {
    label: string;
    to: string;
    csrf: string;
    button: string;
    isDangerous?: boolean;
    children?: Child;
  },
) {
  return (
    <details class="confirm">
      <summary class={isDangerous ? "button danger" : "button"}>{label}</summary>
      <form method="post" action={to} class="confirm-in">
        <Csrf token={csrf} />
        {children}
        <p>
          <button type="submit" class={isDangerous ? "danger" : undefined}>{button}</button>
        </p>
      </form>
    </details>
  );
}

/** Last on its page, closed, and open again only when what was typed in it was wrong. */
export function DangerZone(
  { id, title, isOpen, children }: {
    /** For forms whose answer is to be read here. */
    id?: string;
    title: string;
    isOpen: boolean;
    children?: Child;
  },
) {
  return (
    <details class="danger-zone" id={id} open={isOpen}>
      <summary>{title}</summary>
      <div class="stack">{children}</div>
    </details>
  );
}
