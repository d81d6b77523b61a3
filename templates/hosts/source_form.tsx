// Add or change a source group.
import type { SourceGroupSettings } from "../../shared/shapes/source_group_settings.ts";
import type { FormValues } from "../parts/form_values.ts";
import { FormPage } from "../parts/form_page.tsx";
import { inWords, Retention } from "../../shared/retention.ts";
import { visible } from "../../shared/redact.ts";
import { count, middleCut, plural } from "../format.ts";
import type { FrameProps } from "../layout.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { Checkbox, type Errors, LinesField, SelectField, TextField } from "../parts/field.tsx";
import { At, Time } from "../parts/time.tsx";
import { type HookField, HookFields, HookWarning, StopAtError } from "./hooks.tsx";
import { Name } from "../parts/name.tsx";
import type { Host } from "../../shared/shapes/host.ts";
import type { RetentionPreview, SourceGroup } from "../../shared/shapes/source_group.ts";

/** Everything as typed. */
export type SourceFormValues = FormValues<SourceGroupSettings> & {
  pre_hook: string;
  post_hook: string;
  hook_timeout_seconds: string;
  /** "on", or blank. */
  hook_stop_at_error: string;
};

export interface SourceFormProps {
  frame: FrameProps;
  host: Pick<Host, "id" | "name" | "os" | "online" | "snapshot_host">;
  /** null for a new one. */
  group: Pick<SourceGroup, "id" | "name" | "snapshot_tag"> | null;
  /** What the retention as typed would do, when that was asked. */
  preview?: RetentionPreview;
  /** The folders below which this person may choose; null: any. */
  approvedRoots: string[] | null;
  /** Of the same repository, for the snapshots of a group that is removed. */
  heirs: { id: string; name: string }[];
  isAdmin: boolean;
  values: SourceFormValues;
  errors: Errors;
  hooks: Pick<HookField, "hook" | "cannotDecrypt" | "inForce">[];
  /** Admins. */
  mayEditHooks: boolean;
}

const PREVIEWED = 100;

const KEEP: [keyof SourceFormValues, string][] = [
  ["keep_last", "Last"],
  ["keep_hourly", "Hourly"],
  ["keep_daily", "Daily"],
  ["keep_weekly", "Weekly"],
  ["keep_monthly", "Monthly"],
  ["keep_yearly", "Yearly"],
];

export function SourceFormPage(props: SourceFormProps) {
  const { frame, host, group, values, errors } = props;
  const back = `/hosts/${host.id}/sources`;
  return (
    <FormPage
      frame={frame}
      title={group ? `Change ${group.name} on ${host.name}` : `Add source group to ${host.name}`}
      current="hosts"
      crumbs={[
        { to: `/hosts/${host.id}`, text: <Name text={host.name} /> },
        { to: back, text: "Sources" },
      ]}
      heading={group
        ? (
          <>
            Change “<Name text={group.name} />”
          </>
        )
        : "Add source group"}
      to={group ? `${back}/${group.id}` : `${back}/new`}
      button={group ? "Save changes" : "Add source group"}
      otherButton={group && (
        <button type="submit" formaction={`${back}/${group.id}/preview#preview`}>
          Show what this retention would remove
        </button>
      )}
      cancelTo={back}
      errors={errors}
      after={group && <Removal {...props} to={`${back}/${group.id}/delete`} />}
    >
      <WhatFields {...props} />
      <RetentionFields values={values} errors={errors} />
      {props.preview && <Preview preview={props.preview} now={frame.now} />}
      <TextField
        name="usual_share_percent"
        label="Ask when a backup is smaller than usual, %"
        type="number"
        min={0}
        max={100}
        value={values.usual_share_percent}
        error={errors.usual_share_percent}
        help="A backup with less than this share of the usual files or bytes does not count for retention until someone says that it is right. 0: never ask."
      />
      <RetryFields {...props} />
      <HookPart {...props} />
    </FormPage>
  );
}

function WhatFields(props: SourceFormProps) {
  const { host, group, values, errors } = props;
  return (
    <>
      <TextField
        name="name"
        label="Name"
        value={values.name}
        error={errors.name}
        help={group
          ? `Its snapshots keep the tag "${visible(group.snapshot_tag)}".`
          : "Its snapshots get a tag made of it, which stays when the group is renamed."}
        isRequired
        hasFocus={group === null}
      />
      <LinesField
        name="includes"
        label="Paths to back up"
        value={values.includes}
        error={errors.includes}
        help={whatToSave(props.approvedRoots)}
        isRequired
      />
      <LinesField
        name="excludes"
        label="Exclude patterns"
        value={values.excludes}
        error={errors.excludes}
        isOptional
        help="One pattern a line, as restic takes them: *.tmp, /home/*/.cache."
      />
      <MoreExcludes {...props} />
      {host.os === "windows" && (
        <Checkbox
          name="use_fs_snapshot"
          label="Read from a volume shadow copy"
          isChecked={values.use_fs_snapshot === "on"}
          error={errors.use_fs_snapshot}
          help="Files that programs hold open are saved too, all as they were at one moment."
        />
      )}
    </>
  );
}

function RetryFields({ values, errors }: SourceFormProps) {
  return (
    <fieldset class="part">
      <legend>When a backup fails</legend>
      <div class="row">
        <TextField
          name="retry_max"
          label="Attempts after the first"
          type="number"
          min={0}
          value={values.retry_max}
          error={errors.retry_max}
        />
        <TextField
          name="retry_backoff_seconds"
          label="Seconds before the second attempt"
          type="number"
          min={0}
          value={values.retry_backoff_seconds}
          error={errors.retry_backoff_seconds}
          help="Doubles with every attempt."
        />
      </div>
    </fieldset>
  );
}

function Removal(props: SourceFormProps & { to: string }) {
  return (
    <div class="section">
      <Confirm
        label="Remove this group…"
        to={props.to}
        csrf={props.frame.csrf}
        button="Remove group"
        isDangerous
      >
        <RemovedSnapshots {...props} />
      </Confirm>
    </div>
  );
}

/** What becomes of the snapshots of a group that is removed. */
function RemovedSnapshots({ host, group, heirs, isAdmin }: SourceFormProps) {
  return (
    <div class="stack">
      <p>
        “<Name text={group?.name ?? ""} />” is not backed up any more. What happens to its
        snapshots?
      </p>
      <Checkbox
        type="radio"
        name="snapshots"
        value="ask"
        label="Leave them; the repository's page lists them until someone decides"
        isChecked
      />
      <Checkbox type="radio" name="snapshots" value="keep" label="Keep them for good" />
      {heirs.length > 0 && (
        <>
          <Checkbox
            type="radio"
            name="snapshots"
            value="adopt"
            label="Another group takes them over, with its retention"
          />
          <SelectField
            name="adopt_by"
            label="Which group"
            options={heirs.map(({ id, name }) => ({ value: id, label: name }))}
          />
        </>
      )}
      {isAdmin && (
        <>
          <Checkbox type="radio" name="snapshots" value="forget" label="Forget them" />
          <TextField
            name="confirm_hostname"
            label="To forget them, type the host name of the snapshots"
            isOptional
            help={
              <>
                It is{" "}
                <b>
                  <Name text={host.snapshot_host} />
                </b>.
              </>
            }
          />
        </>
      )}
    </div>
  );
}

function MoreExcludes({ host, values, errors }: SourceFormProps) {
  const names = [
    "iexcludes",
    "exclude_if_present",
    "exclude_larger_than",
    "exclude_caches",
    "one_file_system",
  ] as const;
  return (
    <details class="unfold" open={names.some((name) => values[name] || errors[name])}>
      <summary>More to exclude</summary>
      <div class="nested stack">
        <LinesField
          name="iexcludes"
          label="Patterns, ignoring case"
          value={values.iexcludes}
          error={errors.iexcludes}
          rows={2}
          isOptional
          help="One a line: *.iso also leaves out DISK.ISO."
        />
        <LinesField
          name="exclude_if_present"
          label="Folders that hold a file named"
          value={values.exclude_if_present}
          error={errors.exclude_if_present}
          rows={2}
          isOptional
          help="One a line: .nobackup. With name:text only where the file begins with the text."
        />
        <TextField
          name="exclude_larger_than"
          label="Files larger than"
          value={values.exclude_larger_than}
          error={errors.exclude_larger_than}
          placeholder="500M"
          isOptional
        />
        <Checkbox
          name="exclude_caches"
          label="Cache folders"
          isChecked={values.exclude_caches === "on"}
          error={errors.exclude_caches}
          help="Those that programs mark with a CACHEDIR.TAG."
        />
        {host.os !== "windows" && (
          <Checkbox
            name="one_file_system"
            label="Other file systems below the paths"
            isChecked={values.one_file_system === "on"}
            error={errors.one_file_system}
            help="What is mounted below a path to back up is left out."
          />
        )}
      </div>
    </details>
  );
}

function Preview({ preview, now }: { preview: RetentionPreview; now: number }) {
  const { keep, remove, held } = preview;
  return (
    <section class="stack" id="preview" role="status">
      <h2>What this retention would do</h2>
      <p>
        Of {plural(keep.length + remove.length, "snapshot")} it keeps {count(keep.length)}{" "}
        and removes {count(remove.length)}
        {preview.refreshed_at !== null && (
          <>
            , by the list of <Time at={preview.refreshed_at} now={now} />
          </>
        )}. Nothing was removed or saved.
      </p>
      {preview.withheld > 0 && (
        <p class="muted">
          {plural(preview.withheld, "more snapshot")} {preview.withheld === 1 ? "waits" : "wait"}
          {" "}
          until someone says that they are right.
        </p>
      )}
      {held && <p class="warn">It would stop and ask first: {held}.</p>}
      {keep.length + remove.length > 0 && <PreviewTable snapshots={[...keep, ...remove]} />}
      {keep.length + remove.length > PREVIEWED && (
        <p class="muted">The newest {PREVIEWED} are shown.</p>
      )}
    </section>
  );
}

function PreviewTable({ snapshots }: { snapshots: RetentionPreview["keep"] }) {
  const newest = snapshots.sort((a, b) => b.time - a.time).slice(0, PREVIEWED);
  return (
    <table class="table fold">
      <thead>
        <tr>
          <th scope="col">Time (UTC)</th>
          <th scope="col">Id</th>
          <th scope="col">What happens</th>
        </tr>
      </thead>
      <tbody>
        {newest.map((each) => (
          <tr>
            <td class="first">
              <At at={each.time} />
            </td>
            <td class="mono">{each.id.slice(0, 8)}</td>
            <td>
              {each.reasons.length > 0
                ? `keeps: ${each.reasons.join(", ")}`
                : <span class="warn">removes</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function HookPart({ host, group, values, errors, hooks, mayEditHooks }: SourceFormProps) {
  return (
    <fieldset class="part" id="hooks">
      <legend>Hooks</legend>
      <div class="part-in">
        <HookWarning os={host.os}>{!mayEditHooks && "Only admins change them."}</HookWarning>
        <HookFields
          fields={hooks.map((hook) => ({
            ...hook,
            name: hook.hook,
            value: values[hook.hook],
            error: errors[hook.hook],
          }))}
          mayEdit={mayEditHooks}
          tryAt={group && host.online
            ? `/hosts/${host.id}/hooks/try?source_group_id=${group.id}`
            : null}
        />
        <StopAtError
          name="hook_stop_at_error"
          os={host.os}
          isChecked={values.hook_stop_at_error === "on"}
          error={errors.hook_stop_at_error}
          isDisabled={!mayEditHooks}
        />
        <TextField
          name="hook_timeout_seconds"
          label="Time limit of each, seconds"
          type="number"
          min={1}
          value={values.hook_timeout_seconds}
          error={errors.hook_timeout_seconds}
          help="After it the hook and all that it started are ended."
          isDisabled={!mayEditHooks}
        />
      </div>
    </fieldset>
  );
}

function RetentionFields({ values, errors }: Pick<SourceFormProps, "values" | "errors">) {
  const sentence = retentionSentence(values);
  return (
    <fieldset class="part">
      <legend>How long to keep it</legend>
      <div class="part-in">
        <div class="grid-small">
          {KEEP.map(([name, label]) => (
            <TextField
              name={name}
              label={label}
              type="number"
              min={1}
              value={values[name]}
              error={errors[name]}
            />
          ))}
          <TextField
            name="keep_within"
            label="Keep within"
            value={values.keep_within}
            error={errors.keep_within}
            placeholder="30d"
          />
        </div>
        <p class="help">
          {sentence
            ? (
              <>
                This <b>{sentence}</b>.
              </>
            )
            : "Whole numbers, and a duration such as 30d or 1y6m."}{" "}
          Blank fields do not count; all blank keeps everything.
        </p>
      </div>
    </fieldset>
  );
}

/** null when what is typed is no retention. */
function retentionSentence(values: SourceFormValues): string | null {
  const typed: Record<string, unknown> = Object.fromEntries(
    KEEP.flatMap(([name]) => values[name].trim() === "" ? [] : [[name, Number(values[name])]]),
  );
  if (values.keep_within.trim()) typed.keep_within = values.keep_within.trim();
  const read = Retention.safeParse(typed);
  return read.success ? inWords(read.data) : null;
}

const ROOTS_NAMED = 5;

function whatToSave(roots: string[] | null): string {
  const form = "One folder or file a line, as absolute paths: /home, C:\\Users.";
  if (roots === null) return form;
  if (roots.length === 0) {
    return `${form} An admin has approved no folder for this host yet; that is done in its settings.`;
  }
  const named = roots.slice(0, ROOTS_NAMED).map((root) => visible(middleCut(root, 60))).join(", ");
  const more = roots.length > ROOTS_NAMED ? ` and ${roots.length - ROOTS_NAMED} more` : "";
  return `${form} New ones must be below ${named}${more}, which an admin approved for this host.`;
}
