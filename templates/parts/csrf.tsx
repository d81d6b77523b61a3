import { visible } from "../../shared/redact.ts";

/** Every form that posts carries it. */
export function Csrf({ token }: { token: string }) {
  return <input type="hidden" name="_csrf" value={token} />;
}

/**
 * A button that posts without a form around it: it borrows the page's empty form `act` (layout.tsx), which carries the
 * token. So live fragments hold no token and a row of fifty hosts holds it once.
 */
export function PostButton(
  { to, label, kind = "slim", name, value, describe }: {
    to: string;
    label: string;
    kind?: string;
    name?: string;
    value?: string;
    describe?: string;
  },
) {
  return (
    <button
      type="submit"
      form="act"
      formaction={to}
      class={kind}
      name={name}
      value={value}
      aria-label={describe && visible(describe)}
    >
      {label}
    </button>
  );
}
