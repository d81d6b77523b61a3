// The one place where a problem becomes words: for pages, for `message` in the API, and for a refusal that has a problem as its
// reason. Nothing reads them again: who decides, decides by the code.
import type { Problem, ProblemCode, ProblemParams } from "./problems.ts";
import { spanInWords } from "./span.ts";

/** A part of a sentence, and what explains it or is to be done: a page may give each its own place. */
export interface Told {
  what: string;
  cause?: string;
}

const LEASE_RELEASE =
  "nobody else may forget, prune or check until it does, or its lease is released on the repository's page";

export const PROBLEM_WORDS: { [C in ProblemCode]: (params: ProblemParams[C]) => Told } = {
  two_machines: () => ({
    what: "two machines use its identity",
    cause: "say on its page which one is right",
  }),
  restic_missing: resticWords,
  restic_too_old: resticWords,
  init_failed: () => ({ what: "its repository could not be made or opened" }),
  backup_overdue: ({ last_success_at, hours }) => ({
    what: `no ${last_success_at === null ? "first " : ""}backup for ${
      hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`
    }`,
  }),
  backup_failed: (params) => because("last backup failed", params.reason),
  backup_interrupted: (params) => because("last backup interrupted", params.reason),
  nothing_saved: (params) => because("last backup failed", params.reason),
  backup_warnings: (params) => because("last backup succeeded with warnings", params.reason),
  less_than_usual: (params) => because("last backup succeeded with warnings", params.reason),
  on_hold: () => ({
    what: "joined again",
    cause: "schedules are paused and retention is on hold until you say that its data is restored",
  }),
  repository_id_changed: () => ({
    what: "another repository than before is at its address",
    cause: "say on the repository's page which one is right",
  }),
  state_put_aside: reportWords,
  state_not_writable: reportWords,
  plan_refused: reportWords,
  clock_skew: ({ skew_ms }) => ({ what: `its clock is ${skewInWords(skew_ms)}` }),
  not_backed_up_yet: () => ({ what: "not backed up yet" }),
  host_offline: () => ({ what: "offline" }),
  never_connected: () => ({ what: "has not connected yet" }),
  forget_failed: (params) => failingWords("retention", params),
  prune_failed: (params) => failingWords("prune", params),
  check_failed: (params) => failingWords("check", params),
  no_maintenance_host: () => ({
    what: "no host that may hold the admin credential is there, so nothing is forgotten",
  }),
  lease_not_ended: ({ host_name, kind }) => ({
    what: `its repository waits for ${host_name}, which has not said that its ${kind} is over`,
    cause: LEASE_RELEASE,
  }),
  no_admin_credential: () => ({
    what: "Prune deletes data and needs the admin credential, which is not set.",
  }),
  maintenance_host_not_named: () => ({
    what: "No host may hold the admin credential yet: an admin names one on the repository's page.",
  }),
  maintenance_hosts_wait: ({ host_names }) => ({
    what: `${
      host_names.join(", ")
    } joined again or is in doubt since it was named for the admin credential: an admin names it again on the repository's page.`,
  }),
};

function because(what: string, reason: string | null): Told {
  return reason ? { what, cause: reason } : { what };
}

function resticWords({ text }: { text: string | null }): Told {
  return { what: text ?? "restic not found on this host" };
}

const ITS_AGENT_REPORTS = "its agent reports";

function reportWords({ text }: { text: string }): Told {
  return { what: ITS_AGENT_REPORTS, cause: cut(text) };
}

function failingWords(
  name: string,
  { days, reason }: { days: number; reason: string | null },
): Told {
  return because(`${name} has failed for ${days} days`, reason);
}

/** As much as a list of hosts has room for; the host's page has all of it. */
function cut(text: string): string {
  const end = text.replace(/\.$/, "");
  return end.length > 120 ? `${end.slice(0, 119).toWellFormed()}…` : end;
}

/** "3 min ahead of the server's". `skewMs` is what the host's clock is ahead, in milliseconds. */
export function skewInWords(skewMs: number): string {
  return `${spanInWords(skewMs)} ${skewMs > 0 ? "ahead of" : "behind"} the server's`;
}

export function tell<C extends ProblemCode>({ code, params }: Problem<C>): Told {
  return PROBLEM_WORDS[code](params);
}

/** The whole of it, as `message` of the API has it: a part of a sentence, or one or more sentences. */
export function messageOf(problem: Problem): string {
  return inOne(tell(problem));
}

function inOne({ what, cause }: Told): string {
  return cause === undefined ? what : `${what}: ${cause}`;
}

/** What is told in one line of a list: all that an agent reports of itself, and all about one repository. */
const LINE_OF: Partial<Record<ProblemCode, "agent" | "repository">> = {
  state_put_aside: "agent",
  state_not_writable: "agent",
  plan_refused: "agent",
  forget_failed: "repository",
  prune_failed: "repository",
  check_failed: "repository",
  no_maintenance_host: "repository",
  lease_not_ended: "repository",
};

/** Problems as lines of a list, in their order: those that belong together in one. */
export function linesOf(problems: readonly Problem[]): Told[] {
  const lines = Map.groupBy(problems, ({ code }) => LINE_OF[code] ?? code);
  return [...lines].map(([line, [first, ...more]]) => {
    const told = tell(first!);
    if (line === "agent") return more.length > 0 ? also(told, ` (and ${more.length} more)`) : told;
    return more.reduce((all, each) => also(all, `; ${messageOf(each)}`), told);
  });
}

function also({ what, cause }: Told, more: string): Told {
  return cause === undefined ? { what: `${what}${more}` } : { what, cause: `${cause}${more}` };
}

/** The same as texts, each a part of a sentence. */
export function messagesOf(problems: readonly Problem[]): string[] {
  return linesOf(problems).map(inOne);
}
