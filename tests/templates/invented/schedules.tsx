// Schedules and their form.
import { ScheduleFormPage } from "../../../templates/hosts/schedule_form.tsx";
import { SchedulesPage } from "../../../templates/hosts/schedules.tsx";
import { DAY, frame, HOSTILE, HOUR, id, LONG, NOW, type Pages } from "./common.ts";
import { hostProps, hostView, NEW_HOST } from "./host.tsx";

export const NO_WINDOW = {
  days: "",
  from: "",
  to: "",
  bandwidth_up_kbps: "",
  bandwidth_down_kbps: "",
};

export const schedulesPages: Pages = {
  "host-schedules": () => (
    <SchedulesPage
      {...hostProps(hostView({ applied_plan_version: 2 }))}
      hasGroups
      schedules={[
        {
          id: id(80),
          cron: "0 3 * * *",
          enabled: true,
          source_groups: [{ id: id(50), name: "home" }, { id: id(51), name: "etc" }],
          next_run_at: NOW + 20 * HOUR,
          last_run: { job_id: id(1), at: NOW - 4 * HOUR, status: "succeeded", warnings: 0 },
        },
        {
          id: id(81),
          cron: "*/15 8-18 * * 1-5",
          enabled: false,
          source_groups: [{ id: id(50), name: HOSTILE }, { id: id(51), name: LONG }],
          next_run_at: null,
          last_run: null,
        },
      ]}
    />
  ),
  "host-schedules-none": () => (
    <SchedulesPage
      {...hostProps(NEW_HOST)}
      hasGroups={false}
      schedules={[]}
    />
  ),
  "schedule-form": () => (
    <ScheduleFormPage
      frame={frame()}
      host={{ id: id(4), name: "web-01", time_zone: "Europe/Berlin" }}
      scheduleId={id(80)}
      groups={[{ id: id(50), name: "home" }, { id: id(51), name: HOSTILE }]}
      values={{ cron: "0 3 * * *", enabled: true, source_group_ids: [id(50)] }}
      errors={{}}
      preview={{
        words: "At 03:00",
        problem: null,
        next: [1, 2, 3, 4, 5].map((day) => NOW + day * DAY),
        timeZone: "Europe/Berlin",
      }}
    />
  ),
  "schedule-form-errors": () => (
    <ScheduleFormPage
      frame={frame()}
      host={{ id: id(4), name: LONG, time_zone: "UTC" }}
      scheduleId={null}
      groups={[{ id: id(50), name: "home" }]}
      values={{ cron: HOSTILE, enabled: false, source_group_ids: [] }}
      errors={{
        cron: "cron must be five fields",
        source_group_ids: "source_group_ids must name at least one source group",
      }}
      preview={{ words: null, problem: "It must be five fields.", next: [], timeZone: "UTC" }}
    />
  ),
};
