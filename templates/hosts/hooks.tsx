// Hooks in forms: what runs before and after a backup, which one is in force, and a button to try it.
import type { Child } from "hono/jsx";
import type { HookName } from "../../shared/hooks.ts";
import { visible } from "../../shared/redact.ts";
import { PostButton } from "../parts/csrf.tsx";
import { Checkbox, CodeField } from "../parts/field.tsx";

export interface HookField {
  hook: HookName;
  /** The field's name. */
  name: string;
  value: string;
  error?: string;
  /** It is stored and does not open. */
  cannotDecrypt: boolean;
  /** The saved one that runs today, or null. */
  inForce: { from: "group" | "host"; text: string | null } | null;
}

const LABELS: Record<HookName, [label: string, help: string]> = {
  pre_hook: [
    "Before the backup (pre_hook)",
    "Runs before anything touches the repository. When it ends with anything but 0, no backup is made and the job fails; exit 75 skips this backup, with the last line that it printed as the reason.",
  ],
  post_hook: [
    "After the backup (post_hook)",
    "Runs whatever happened and however early. RM_JOB_STATUS says succeeded, incomplete, failed or skipped; RM_JOB_REASON, RM_JOB_WARNINGS, RM_SNAPSHOT_ID, RM_FILES_NEW, RM_FILES_CHANGED, RM_BYTES_ADDED and RM_BYTES_PROCESSED say more. When it fails, that is a warning.",
  ],
};

/** The warning that belongs above every editor of hooks. */
export function HookWarning({ os, children }: { os: string; children?: Child }) {
  const isWindows = os === "windows";
  return (
    <>
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
      {!isWindows && (
        <p class="help">
          A first line such as <code>#!/usr/bin/python3</code>{" "}
          is honoured. The systemd service takes away what backups do not need: hooks cannot mount,
          make snapshots of volumes, write below /usr and /boot, load modules, set the clock, change
          network addresses or firewall rules, or look into other processes. They can ping, wake
          other machines and become another user. A drop-in gives the rest back:{" "}
          <code>systemctl edit restic-manager-agent</code>.
        </p>
      )}
    </>
  );
}

const STOP_HELP = {
  linux:
    "As after set -e: a command that fails ends the hook, unless the hook itself looks at it (if, ||, &&). Of a | b only b counts; begin with #!/bin/bash and set -eo pipefail where both must. A hook with a #! line decides by itself.",
  windows:
    "After each line of a hook of several lines; one that speaks of ERRORLEVEL or holds || looks at errors itself and runs as it is. Of a & b only b counts.",
};

/** The box that belongs to a form's hooks: what fails inside one is seen. */
export function StopAtError(
  { os, ...field }: {
    name: string;
    os: string;
    isChecked: boolean;
    error?: string;
    isDisabled: boolean;
  },
) {
  return (
    <Checkbox
      {...field}
      label="Stop at the first error"
      help={os === "windows" ? STOP_HELP.windows : STOP_HELP.linux}
    />
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
      {fields.map((field) => <HookBlock field={field} mayEdit={mayEdit} tryAt={tryAt} />)}
    </>
  );
}

function HookBlock(
  { field, mayEdit, tryAt }: { field: HookField; mayEdit: boolean; tryAt: string | null },
) {
  return (
    <div class="stack">
      <CodeField
        name={field.name}
        label={LABELS[field.hook][0]}
        value={field.value}
        error={field.error}
        help={LABELS[field.hook][1]}
        isDisabled={!mayEdit}
      />
      {field.cannotDecrypt && (
        <p class="problems">
          The stored {field.hook}{" "}
          does not open: it was sealed with another key. Backups fail until an admin enters it
          again, or clears it by saving another and then a blank one.
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
