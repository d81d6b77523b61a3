// Hooks in forms: what runs before and after a backup, which one is in force, and a button to try it.
import type { Child } from "hono/jsx";
import type { HookName } from "../../shared/hooks.ts";
import { visible } from "../../shared/redact.ts";
import { PostButton } from "../parts/csrf.tsx";
import { CodeField } from "../parts/field.tsx";

export interface HookField {
  hook: HookName;
  /** The field's name. */
  name: string;
  value: string;
  error?: string;
  /** It is stored and does not open. */
  isUnsealable: boolean;
  /** The saved one that runs today, or null. */
  inForce: { from: "group" | "host"; text: string | null } | null;
}

const LABELS: Record<HookName, [label: string, help: string]> = {
  pre_hook: [
    "Before the backup (pre_hook)",
    "When it ends with anything but 0, no backup is made and the job fails.",
  ],
  post_hook: [
    "After the backup (post_hook)",
    "Runs whatever happened; RM_JOB_STATUS says succeeded or failed. When it fails, that is a warning.",
  ],
};

/** The warning that belongs above every editor of hooks. */
export function HookWarning({ os, children }: { os: string; children?: Child }) {
  const isWindows = os === "windows";
  return (
    <p class="help">
      Hooks run as {isWindows
        ? (
          <>
            <b>LocalSystem</b> through <code>cmd.exe /C</code>
          </>
        )
        : (
          <>
            <b>root</b> through <code>/bin/sh -c</code>
          </>
        )}: whoever may edit them may do anything on this host. {children}
    </p>
  );
}

export function HookFields(
  { fields, mayEdit, tryAt }: {
    fields: HookField[];
    mayEdit: boolean;
    /** Where "Test this hook" posts to; null where nothing can be tried. */
    tryAt: string | null;
  },
) {
  return (
    <>
      {fields.map((field) => (
        <div class="stack">
          <CodeField
            name={field.name}
            label={LABELS[field.hook][0]}
            value={field.value}
            error={field.error}
            help={LABELS[field.hook][1]}
            isDisabled={!mayEdit}
          />
          {field.isUnsealable && (
            <p class="problems">
              The stored {field.hook}{" "}
              does not open: it was sealed with another key. Backups fail until an admin enters it
              anew, or clears it by saving another and then a blank one.
            </p>
          )}
          <div class="actions small">
            <span class="muted">
              <InForce {...field} />
            </span>
            {field.inForce && mayEdit && tryAt && (
              <PostButton
                to={tryAt}
                name="hook"
                value={field.hook}
                label="Test this hook"
                describe={`Test this hook: ${field.hook}`}
              />
            )}
          </div>
          {field.inForce?.from === "host" && field.name === field.hook && (
            <pre class="code" tabindex={0}>{visible(field.inForce.text ?? "")}</pre>
          )}
        </div>
      ))}
    </>
  );
}

function InForce({ inForce, name, hook }: HookField) {
  if (!inForce) return <>None is in force.</>;
  // A host's own form, or a group's.
  if (name !== hook) return <>In force for groups without one of their own.</>;
  return inForce.from === "group"
    ? <>In force: this group's own.</>
    : <>In force: the host's default one.</>;
}
