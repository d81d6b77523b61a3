// Add or change a schedule; the expression says itself in words while it is typed.
import type { Host } from "../../shared/shapes/host.ts";
import type { Schedule } from "../../shared/shapes/schedule.ts";
import { FormPage } from "../parts/form_page.tsx";
import type { FrameProps } from "../layout.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { Checkbox, type Errors, inPlace } from "../parts/field.tsx";
import { Name } from "../parts/name.tsx";
import { CronPreview, type CronPreviewProps } from "./cron_preview.tsx";

export interface ScheduleFormProps {
  frame: FrameProps;
  host: Pick<Host, "id" | "name" | "time_zone">;
  /** null for a new one. */
  scheduleId: string | null;
  groups: Schedule["source_groups"];
  /** As typed, or as it is. */
  values: Pick<Schedule, "cron" | "enabled" | "source_group_ids">;
  errors: Errors;
  preview: CronPreviewProps;
}

export const CRON_PRESETS: [cron: string, label: string][] = [
  ["0 3 * * *", "every night at 03:00"],
  ["0 */6 * * *", "every six hours"],
  ["0 * * * *", "every hour"],
  ["0 12 * * 1-5", "weekdays at noon"],
  ["0 2 * * 0", "Sundays at 02:00"],
];

export function ScheduleFormPage(props: ScheduleFormProps) {
  const { frame, host, scheduleId, values, errors } = props;
  const back = `/hosts/${host.id}/schedules`;
  const title = scheduleId ? "Change schedule" : "Add schedule";
  return (
    <FormPage
      frame={frame}
      title={`${title} of ${host.name}`}
      current="hosts"
      crumbs={[
        { to: `/hosts/${host.id}`, text: <Name text={host.name} /> },
        { to: back, text: "Schedules" },
      ]}
      heading={title}
      to={scheduleId ? `${back}/${scheduleId}` : `${back}/new`}
      button={scheduleId ? "Save changes" : "Add schedule"}
      cancelTo={back}
      errors={errors}
      after={scheduleId && <Removal to={`${back}/${scheduleId}/delete`} csrf={frame.csrf} />}
    >
      <CronField {...props} />
      <Groups {...props} />
      <Checkbox
        name="enabled"
        label="Enabled"
        isChecked={values.enabled}
        help="A paused schedule stays here and runs nothing."
      />
    </FormPage>
  );
}

function CronField({ host, values, errors, preview }: ScheduleFormProps) {
  return (
    <div class="field">
      <label for="f-cron">When</label>
      <input
        id="f-cron"
        name="cron"
        class="mono"
        value={values.cron}
        required
        autocomplete="off"
        list="cron-presets"
        aria-invalid={errors.cron ? "true" : undefined}
        aria-describedby={errors.cron ? "f-cron-error f-cron-help" : "f-cron-help"}
        hx-get={`/cron-preview?time_zone=${encodeURIComponent(host.time_zone)}`}
        hx-trigger="input changed delay:300ms"
        hx-target="#cron-preview"
        hx-swap="outerHTML"
      />
      <datalist id="cron-presets">
        {CRON_PRESETS.map(([cron, label]) => <option value={cron}>{label}</option>)}
      </datalist>
      {errors.cron && <p class="error" id="f-cron-error">{inPlace(errors.cron, "cron")}</p>}
      <CronPreview {...preview} />
      <p class="help" id="f-cron-help">
        Minute, hour, day, month, weekday; or @daily, @hourly, @weekly. Often used:{" "}
        {CRON_PRESETS.map(([cron, label], index) => (
          <>
            {index > 0 && ", "}
            <code>{cron}</code> {label}
          </>
        ))}. Time zone: <bdi>{host.time_zone}</bdi>, from the host's settings.
      </p>
    </div>
  );
}

function Groups({ groups, values, errors }: ScheduleFormProps) {
  return (
    <fieldset class="part">
      <legend>Which source groups</legend>
      <div class="part-in">
        {groups.map((group) => (
          <div class="tick">
            <input
              id={`g-${group.id}`}
              type="checkbox"
              name="source_group_ids"
              value={group.id}
              checked={values.source_group_ids.includes(group.id)}
            />
            <div>
              <label for={`g-${group.id}`}>
                <Name text={group.name} />
              </label>
            </div>
          </div>
        ))}
        {errors.source_group_ids && (
          <p class="error">{inPlace(errors.source_group_ids, "source_group_ids")}</p>
        )}
        <p class="help">They run one after the other. Each makes a snapshot of its own.</p>
      </div>
    </fieldset>
  );
}

function Removal({ to, csrf }: { to: string; csrf: string }) {
  return (
    <div class="section">
      <Confirm
        label="Remove this schedule…"
        to={to}
        csrf={csrf}
        button="Remove schedule"
        isDangerous
      >
        <p>Its source groups are not backed up at these times any more. Past jobs stay.</p>
      </Confirm>
    </div>
  );
}
