// Add or change a source group.
import { inWords, Retention } from "../../shared/retention.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { Csrf } from "../parts/csrf.tsx";
import { type Errors, LinesField, Problems, TextField, Tick } from "../parts/field.tsx";
import { type HookField, HookFields, HookWarning, StopAtError } from "./hooks.tsx";
import { Name } from "../parts/name.tsx";

/** Everything as typed. */
export interface SourceFormValues {
  name: string;
  /** One a line. */
  includes: string;
  excludes: string;
  keep_last: string;
  keep_hourly: string;
  keep_daily: string;
  keep_weekly: string;
  keep_monthly: string;
  keep_yearly: string;
  keep_within: string;
  retry_max: string;
  retry_backoff_seconds: string;
  /** "on", or blank. */
  use_fs_snapshot: string;
  pre_hook: string;
  post_hook: string;
  hook_timeout_seconds: string;
  /** "on", or blank. */
  hook_stop_at_error: string;
}

export interface SourceFormProps {
  frame: FrameProps;
  host: { id: string; name: string; os: string; isOnline: boolean };
  /** null for a new one. */
  group: { id: string; name: string } | null;
  values: SourceFormValues;
  errors: Errors;
  hooks: Pick<HookField, "hook" | "isUnsealable" | "inForce">[];
  /** Admins. */
  mayEditHooks: boolean;
}

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
    <Layout
      {...frame}
      title={group ? `Change ${group.name} on ${host.name}` : `Add source group to ${host.name}`}
      current="hosts"
    >
      <div class="narrow">
        <p class="crumbs">
          <a href={`/hosts/${host.id}`}>
            <Name text={host.name} />
          </a>{" "}
          / <a href={back}>Sources</a>
        </p>
        <div class="head">
          <h1>
            {group
              ? (
                <>
                  Change “<Name text={group.name} />”
                </>
              )
              : "Add source group"}
          </h1>
        </div>
        <form method="post" action={group ? `${back}/${group.id}` : `${back}/new`} class="form">
          <Csrf token={frame.csrf} />
          <Problems errors={errors} />
          <TextField
            name="name"
            label="Name"
            value={values.name}
            error={errors.name}
            help="It becomes the tag of the snapshots. Snapshots that are there keep the old one."
            isRequired
            hasFocus={group === null}
          />
          <LinesField
            name="includes"
            label="What to save"
            value={values.includes}
            error={errors.includes}
            help="One folder or file a line, as absolute paths: /home, C:\Users."
            isRequired
          />
          <LinesField
            name="excludes"
            label="What to leave out"
            value={values.excludes}
            error={errors.excludes}
            isOptional
            help="One pattern a line, as restic takes them: *.tmp, /home/*/.cache."
          />
          {host.os === "windows" && (
            <Tick
              name="use_fs_snapshot"
              label="Read from a volume shadow copy"
              isChecked={values.use_fs_snapshot === "on"}
              error={errors.use_fs_snapshot}
              help="Files that programs hold open are saved too, all as they were at one moment."
            />
          )}
          <RetentionFields values={values} errors={errors} />
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
          <HookPart {...props} />
          <p class="actions">
            <button type="submit" class="primary">
              {group ? "Save changes" : "Add source group"}
            </button>
            {group && (
              <button type="submit" formaction={`${back}/${group.id}/preview`}>
                Show what this retention would remove
              </button>
            )}
            <a class="button" href={back}>Cancel</a>
          </p>
        </form>
        {group && (
          <div class="section">
            <Confirm
              label="Remove this group…"
              to={`${back}/${group.id}/delete`}
              csrf={frame.csrf}
              button="Remove group"
              isDangerous
            >
              <p>
                “<Name text={group.name} />” is not backed up any more. Its snapshots stay in the
                repository.
              </p>
            </Confirm>
          </div>
        )}
      </div>
    </Layout>
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
          tryAt={group && host.isOnline
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
            label="All within"
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
