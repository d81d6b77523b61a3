// Jobs in words: what one is called, and what to do when it has ended badly.
import type { JobStatus } from "../../shared/job.ts";
import { visible } from "../../shared/redact.ts";
import { Name } from "../parts/name.tsx";
import type { JobKind } from "../../shared/job_kinds/all.ts";

export interface JobNames {
  kind: JobKind;
  host: { id: string; name: string };
  repository: { id: string; name: string } | null;
  groupName: string | null;
}

/** `Backup of "home" on web-01`; `whole` names the host too. */
export function JobTitle({ job, whole = true }: { job: JobNames; whole?: boolean }) {
  const [verb, object] = titleParts(job);
  return (
    <>
      {verb}
      {object && (
        <>
          {" "}“<Name text={object} />”
        </>
      )}
      {whole && (
        <>
          {` ${preposition(job)} `}
          <Name text={job.host.name} />
        </>
      )}
    </>
  );
}

/** The same as plain text, for the document's title and labels. */
export function jobTitle(job: JobNames): string {
  const [verb, object] = titleParts(job);
  const where = `${preposition(job)} ${visible(job.host.name)}`;
  return `${verb}${object ? ` “${visible(object)}”` : ""} ${where}`;
}

function preposition({ kind }: JobNames): string {
  return kind === "backup" || kind === "hook" ? "on" : "from";
}

function titleParts(job: JobNames): [verb: string, object: string | null] {
  const repository = job.repository?.name ?? null;
  switch (job.kind) {
    case "backup":
      return job.groupName === null ? ["Backup", null] : ["Backup of", job.groupName];
    case "init":
      return ["Open or make repository", repository];
    case "unlock":
      return ["Unlock repository", repository];
    case "stats":
      return ["Size of repository", repository];
    case "forget":
      return ["Retention in repository", repository];
    case "prune":
      return ["Prune repository", repository];
    case "check":
      return ["Check repository", repository];
    case "restore":
      return ["Restore from repository", repository];
    case "diff":
      return ["Difference in repository", repository];
    case "hook":
      return job.groupName === null ? ["Try of a default hook", null] : [
        "Try of a hook of",
        job.groupName,
      ];
    default:
      return job.kind satisfies never;
  }
}

export const KIND_WORDS: Record<JobKind, string> = {
  backup: "backup",
  init: "open or make",
  unlock: "unlock",
  stats: "size",
  forget: "retention",
  prune: "prune",
  check: "check",
  restore: "restore",
  diff: "difference",
  hook: "hook",
};

export interface NextStep {
  sentence: string;
  href?: string;
  label?: string;
  /** A job that would help: POST to `/hosts/<id>/jobs` with this kind. */
  kind?: "backup" | "init" | "unlock" | "forget";
  /** Another address to post it to. */
  to?: string;
  groupId?: string | null;
  /** Only admins are let do it. */
  isForAdmins?: boolean;
}

/** The next sensible step after a job that ended; null when there is nothing to do. */
export function nextStep(
  job: JobNames & { status: JobStatus; reasonCode: string | null; groupId: string | null },
): NextStep | null {
  const host = `/hosts/${job.host.id}`;
  const repository = job.repository ? `/repositories/${job.repository.id}` : `${host}/repository`;
  const again = { label: "Run again", kind: "backup" as const, groupId: job.groupId };
  switch (job.reasonCode) {
    case "wrong_password":
      return {
        sentence:
          "The password on the repository page is not the one this repository was made with.",
        href: repository,
        label: "Change the password",
      };
    case "no_repository":
      return {
        sentence: "There is no repository at this address. Check the address, or make one there.",
        href: `${host}/repository`,
        label: "Open the Repository tab",
      };
    case "locks_changed":
      return {
        sentence:
          "Nothing was removed, since other locks are there than those that were confirmed. Look at them again.",
        href: `${repository}#locks`,
        label: "Look at the locks",
      };
    case "locked":
      if (job.kind === "unlock") {
        return {
          sentence:
            "A lock whose holder may live is left alone until it is half an hour old. Look on that machine; when its restic is surely dead, an admin can remove every lock on the repository's page.",
          href: `${repository}#locks`,
          label: "Look at the locks",
        };
      }
      return {
        sentence:
          "Another run holds the lock. Wait for it to end; if nothing runs any more, remove stale locks.",
        kind: "unlock",
        label: "Unlock",
      };
    case "bad_url":
    case "unreachable":
    case "overdue":
      return {
        sentence:
          "The host could not reach the repository. Check its network, the address and whether the storage is up.",
        href: repository,
        label: "Look at the address",
      };
    case "unknown_name":
    case "wrong_protocol":
    case "http_error":
    case "unknown_remote":
      return {
        sentence:
          "The reason above says what answered, or that nobody knows the name. Correct the address, or what stands behind it.",
        href: repository,
        label: "Look at the address",
      };
    case "unknown_authority":
    case "bad_certificate":
      return {
        sentence:
          "This host does not trust the certificate of the repository's server. The reason above says why and what helps.",
        href: repository,
        label: "Look at the address",
      };
    case "unknown_host_key":
    case "changed_host_key":
      return {
        sentence:
          "A person has to compare the server's ssh host key on this machine and accept it there; the reason above has the command.",
        href: host,
        label: "To the host",
      };
    case "program_missing":
      return {
        sentence: "Install the program that the reason names on the host, then run again.",
        href: host,
        label: "To the host",
      };
    case "access_denied":
      return {
        sentence: "The storage refused the user name, password or keys.",
        href: repository,
        label: "Change the credentials",
      };
    case "untrusted_file":
      return {
        sentence:
          "Make the file belong to root and writable by nobody else, with all folders above it, then run again.",
        href: repository,
        label: "Look at its environment",
      };
    case "restic_missing":
    case "needs_newer_restic":
      return {
        sentence:
          "Install a current restic on the host, for example with its package manager, then run again.",
        href: host,
        label: "To the host",
      };
    case "source_missing":
      return {
        sentence:
          "A folder of the source group is not there or cannot be read. Correct the group, or the folder.",
        href: `${host}/sources`,
        label: "Open Sources",
      };
    case "pre_hook_skipped":
      return {
        sentence:
          "The pre_hook asked to skip it (exit 75). It counts as no backup: the host is due as before.",
      };
    case "no_space":
      return { sentence: "The storage is full. Make room there, then run again.", ...again };
    case "append_only":
    case "no_admin_credential":
      return {
        sentence: "Deleting needs the admin credential of the repository.",
        href: `${repository}#maintenance`,
        label: "Set it on the repository page",
      };
    case "would_drop_most":
      return {
        sentence:
          "Look at what it would remove on the source group's page. If that is meant, an admin runs it with consent.",
        kind: "forget",
        to: `${repository}/jobs?may_drop_most=true`,
        isForAdmins: true,
        label: "Run it anyway",
      };
    case "list_changed":
    case "not_ours":
      return {
        sentence: "The server has the repository's new list now. Run it again.",
        kind: "forget",
        to: `${repository}/jobs`,
        label: "Run again",
      };
    case "nothing_saved":
      return {
        sentence:
          "A path is a link, an empty folder, or the place of a disk that is not mounted. Correct the group, or the folder.",
        href: `${host}/sources`,
        label: "Open Sources",
      };
    case "sources":
    case "less_than_usual":
      return {
        sentence: "Look at the paths of the source group and at what is mounted on the machine.",
        href: `${host}/sources`,
        label: "Open Sources",
      };
    case "holds_data":
      return {
        sentence:
          "What is there stays as it was. To begin anew, clear that place by hand, then initialise it again.",
        href: `${host}/repository`,
        label: "Open the Repository tab",
      };
    case "damaged":
      return {
        sentence:
          "Change nothing there by hand. The restic manual, “Troubleshooting”, tells how to find out what can be saved.",
      };
  }
  if (job.kind !== "backup") {
    if (job.kind === "init" && job.status !== "succeeded") {
      return { sentence: "Read the log below, then try again.", kind: "init", label: "Try again" };
    }
    return null;
  }
  if (job.status === "interrupted" || job.status === "cancelled") {
    return { sentence: "What was uploaded is kept; the next run goes on from there.", ...again };
  }
  if (job.status === "failed") return { sentence: "The log below says more.", ...again };
  return null;
}
