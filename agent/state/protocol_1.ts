// What an agent of protocol 1 left in its state folder, under the names of protocol 2: reports that it had not sent, and its plan.

const NAMES: Record<string, string> = {
  first_seq: "first_line",
  schedule_version: "plan_version",
  bandwidth_up_kbps: "bandwidth_up_kib_per_s",
  bandwidth_down_kbps: "bandwidth_down_kib_per_s",
};
// In the text of a line these would stand behind a backslash.
const OLD_NAME = new RegExp(`[{,]"(${Object.keys(NAMES).join("|")})":`);

/** The report as the server reads it today; the same text when nothing in it has another name by now. */
export function renamedReport(text: string): string {
  return OLD_NAME.test(text) ? JSON.stringify(renamed(JSON.parse(text))) : text;
}

/** The same for what is in the sealed plan. */
export function renamedPlan(stored: unknown): unknown {
  if (!isRecord(stored)) return stored;
  const { config, schedule } = stored;
  return {
    ...stored,
    ...(config ? { config: renamed(config) } : {}),
    ...(schedule ? { schedule: renamed(schedule) } : {}),
  };
}

function renamed(value: unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      if (name === "type" && inner === "schedule.set") return [name, "plan.set"];
      if (name === "bandwidth_windows" && Array.isArray(inner)) return [name, inner.map(renamed)];
      return [Object.hasOwn(NAMES, name) ? NAMES[name]! : name, inner];
    }),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
