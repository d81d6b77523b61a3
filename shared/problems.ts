// What is wrong with a host, or keeps a repository's maintenance from running: as data, so that code can decide by it and an alert can
// be built on it. The words are in problem_words.ts. What a code means does not change.
import { z } from "zod";
import { Time } from "./shapes/time.ts";

export const SEVERITIES = ["info", "warning", "critical"] as const;
/** critical: red, someone is not backed up · warning: amber, look at it · info: worth knowing. */
export type Severity = typeof SEVERITIES[number];

const NONE = z.object({});
const text = z.string();

/** A job that went wrong: its reason in the words of who reports it, and that reason's code. */
const failure = z.object({ reason: text.nullable(), reason_code: text.nullable() });
const backup = failure.extend({ job_id: text.nullable(), warnings: z.number() });
const maintenance = failure.extend({ job_id: text.nullable(), days: z.number() });
/** What the agent says of it. */
const reported = z.object({ text });

interface Kind {
  severity: Severity;
  params: z.ZodObject;
}

export const PROBLEMS = {
  // Of a host.
  two_machines: { severity: "critical", params: NONE },
  restic_missing: { severity: "critical", params: z.object({ text: text.nullable() }) },
  restic_too_old: { severity: "critical", params: z.object({ text: text.nullable() }) },
  init_failed: { severity: "critical", params: z.object({ job_id: text.nullable() }) },
  /** Counts also when nothing ever failed; without a success since the host was made. */
  backup_overdue: {
    severity: "critical",
    params: z.object({ last_success_at: Time.nullable(), hours: z.number() }),
  },
  backup_failed: { severity: "critical", params: backup },
  backup_interrupted: { severity: "critical", params: backup },
  nothing_saved: { severity: "critical", params: backup },
  backup_warnings: { severity: "warning", params: backup },
  less_than_usual: { severity: "warning", params: backup },
  /** A reinstalled machine has it, and nobody has said that its data is restored. */
  on_hold: { severity: "warning", params: NONE },
  repository_id_changed: { severity: "warning", params: NONE },
  state_put_aside: { severity: "warning", params: reported },
  state_not_writable: { severity: "warning", params: reported },
  plan_refused: { severity: "warning", params: reported },
  /** How far ahead of the server's; negative: behind. */
  clock_skew: { severity: "warning", params: z.object({ skew_ms: z.number() }) },
  not_backed_up_yet: { severity: "warning", params: NONE },
  host_offline: { severity: "info", params: z.object({ last_seen_at: Time }) },
  never_connected: { severity: "info", params: NONE },

  // Of a repository's maintenance, and so of each host that uses it.
  forget_failed: { severity: "warning", params: maintenance },
  prune_failed: { severity: "warning", params: maintenance },
  check_failed: { severity: "warning", params: maintenance },
  no_maintenance_host: { severity: "warning", params: NONE },
  /** Nobody can say whether the work of who holds the repository's lease goes on. */
  lease_not_ended: {
    severity: "warning",
    params: z.object({ job_id: text, kind: text, host_id: text, host_name: text }),
  },

  // Why one kind of maintenance does not run although it is on.
  no_admin_credential: { severity: "warning", params: NONE },
  maintenance_host_not_named: { severity: "warning", params: NONE },
  maintenance_hosts_wait: { severity: "warning", params: z.object({ host_names: z.array(text) }) },
} as const satisfies Record<string, Kind>;

export type ProblemCode = keyof typeof PROBLEMS;
export const PROBLEM_CODES = Object.keys(PROBLEMS) as ProblemCode[];
export type ProblemParams = { [C in ProblemCode]: z.infer<typeof PROBLEMS[C]["params"]> };

/** One problem; of several codes the union, so that a switch over `code` knows `params`. */
export type Problem<C extends ProblemCode = ProblemCode> = {
  [K in C]: {
    code: K;
    severity: Severity;
    /**
     * Since when, in milliseconds of the server's time. Where nobody noted when it began: the last change of what it depends on, and
     * for a job that went wrong the end of the last one.
     */
    since: number;
    params: ProblemParams[K];
  };
}[C];

export function problem<C extends ProblemCode>(
  code: C,
  since: number,
  params: ProblemParams[C],
): Problem<C> {
  return { code, severity: PROBLEMS[code].severity, since, params } as Problem<C>;
}
