import type { Child } from "hono/jsx";

/** Nothing here yet: says why, and what to do next. */
export function Empty(
  { title, children, action }: {
    title: string;
    children?: Child;
    action?: { href: string; label: string };
  },
) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      <p class="muted">{children}</p>
      {action && (
        <p class="actions">
          <a class="button primary" href={action.href}>{action.label}</a>
        </p>
      )}
    </div>
  );
}
