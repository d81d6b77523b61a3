// Run now with numbers of its own: the disclosure "Limit bandwidth for this run".
import type { Child } from "hono/jsx";
import { Csrf } from "./csrf.tsx";
import { inPlace } from "./field.tsx";
import type { FormValues } from "./form_values.ts";
import type { ApiLimits } from "../../shared/bandwidth.ts";

/** A Run now that was refused because of what was typed: shown where it was typed. */
export interface RefusedRun extends FormValues<ApiLimits> {
  /** What was to run: the id of a group or schedule, a kind, or "all". */
  what: string;
  /** bandwidth_up_kbps or bandwidth_down_kbps. */
  field: string;
  message: string;
}

/** `what` keeps the ids of several forms on one page apart. */
export function RunLimits(
  { what, refused, isInline = false, children }: {
    what: string;
    refused?: RefusedRun;
    /** Without a disclosure of its own. */
    isInline?: boolean;
    children?: Child;
  },
) {
  const mine = refused?.what === what ? refused : undefined;
  const id = (name: string) => `${name}-${what}`;
  const fields = (
    <>
      <div class="row">
        {children}
        <LimitField
          id={id("up")}
          name="bandwidth_up_kbps"
          label="Up, KiB/s"
          what={what}
          mine={mine}
        />
        <LimitField
          id={id("down")}
          name="bandwidth_down_kbps"
          label="Down, KiB/s"
          what={what}
          mine={mine}
        />
      </div>
      <div id={id("limits")}>
        {mine && <p class="error">{inPlace(mine.message, mine.field)}</p>}
        <p class="help">Blank: as the host is set. 0: no limit.</p>
      </div>
    </>
  );
  if (isInline) return fields;
  return (
    <details class="unfold" open={Boolean(mine)}>
      <summary class="small">Limit bandwidth for this run</summary>
      <div class="nested">{fields}</div>
    </details>
  );
}

function LimitField(
  { id, name, label, what, mine }: {
    id: string;
    name: keyof ApiLimits;
    label: string;
    what: string;
    mine: RefusedRun | undefined;
  },
) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        name={name}
        inputmode="numeric"
        value={mine?.[name] ?? ""}
        aria-describedby={`limits-${what}`}
        aria-invalid={mine?.field === name ? "true" : undefined}
      />
    </div>
  );
}

/** For a table of things that can be run: choose one, and how fast it may be. */
export function RunOneLimited(
  { to, csrf, name, label, options, button, refused }: {
    to: string;
    csrf: string;
    /** The field that says which. */
    name: string;
    label: string;
    options: { value: string; label: string }[];
    button: string;
    refused?: RefusedRun;
  },
) {
  const what = refused && options.some(({ value }) => value === refused.what)
    ? refused.what
    : "one";
  return (
    <details class="unfold section" open={what !== "one"}>
      <summary>Limit bandwidth for this run</summary>
      <form method="post" action={to} class="nested limit">
        <Csrf token={csrf} />
        <RunLimits what={what} refused={refused} isInline>
          <div class="field">
            <label for={`what-${name}`}>{label}</label>
            <select id={`what-${name}`} name={name}>
              {options.map(({ value, label }) => (
                <option value={value} selected={value === what}>{label}</option>
              ))}
            </select>
          </div>
        </RunLimits>
        <button type="submit">{button}</button>
      </form>
    </details>
  );
}
