// What to do next when a job has ended badly, by the code of its reason.
import { PAGE_KINDS } from "./kinds/all.ts";
import { type Places, placesOf } from "./places.ts";
import type { EndedJob, NextStep } from "./view.ts";

type Step = (places: Places) => NextStep;

/** The next sensible step after a job that ended; null when there is nothing to do. */
export function nextStep(job: EndedJob): NextStep | null {
  const kind = PAGE_KINDS[job.kind];
  const byReason = job.reason_code === null ? undefined : REASONS.get(job.reason_code);
  return kind.nextStep?.(job) ?? byReason?.(placesOf(job)) ?? kind.otherwise?.(job) ?? null;
}

const NOT_REACHED: Step = ({ repository }) => ({
  sentence:
    "The host could not reach the repository. Check its network, the address and whether the storage is up.",
  href: repository,
  label: "Look at the address",
});

const NOT_ANSWERED: Step = ({ repository }) => ({
  sentence:
    "The reason above says what answered, or that nobody knows the name. Correct the address, or what stands behind it.",
  href: repository,
  label: "Look at the address",
});

const NOT_TRUSTED: Step = ({ repository }) => ({
  sentence:
    "This host does not trust the certificate of the repository's server. The reason above says why and what helps.",
  href: repository,
  label: "Look at the address",
});

const HOST_KEY: Step = ({ host }) => ({
  sentence:
    "A person has to compare the server's ssh host key on this machine and accept it there; the reason above has the command.",
  href: host,
  label: "To the host",
});

const NO_RESTIC: Step = ({ host }) => ({
  sentence:
    "Install a current restic on the host, for example with its package manager, then run again.",
  href: host,
  label: "To the host",
});

const NEEDS_ADMIN_CREDENTIAL: Step = ({ repository }) => ({
  sentence: "Deleting needs the admin credential of the repository.",
  href: `${repository}#maintenance`,
  label: "Set it on the repository page",
});

const LOOK_AT_SOURCES: Step = ({ host }) => ({
  sentence: "Look at the paths of the source group and at what is mounted on the machine.",
  href: `${host}/sources`,
  label: "Open Sources",
});

const REASONS = new Map<string, Step>(Object.entries<Step>({
  wrong_password: ({ repository }) => ({
    sentence: "The password on the repository page is not the one this repository was made with.",
    href: repository,
    label: "Change the password",
  }),
  no_repository: ({ host }) => ({
    sentence: "There is no repository at this address. Check the address, or make one there.",
    href: `${host}/repository`,
    label: "Open the Repository tab",
  }),
  locks_changed: ({ repository }) => ({
    sentence:
      "Nothing was removed, since other locks are there than those that were confirmed. Look at them again.",
    href: `${repository}#locks`,
    label: "Look at the locks",
  }),
  locked: () => ({
    sentence:
      "Another run holds the lock. Wait for it to end; if nothing runs any more, remove stale locks.",
    kind: "unlock",
    label: "Unlock",
  }),
  bad_url: NOT_REACHED,
  unreachable: NOT_REACHED,
  overdue: NOT_REACHED,
  unknown_name: NOT_ANSWERED,
  wrong_protocol: NOT_ANSWERED,
  http_error: NOT_ANSWERED,
  unknown_remote: NOT_ANSWERED,
  unknown_authority: NOT_TRUSTED,
  bad_certificate: NOT_TRUSTED,
  unknown_host_key: HOST_KEY,
  changed_host_key: HOST_KEY,
  program_missing: ({ host }) => ({
    sentence: "Install the program that the reason names on the host, then run again.",
    href: host,
    label: "To the host",
  }),
  access_denied: ({ repository }) => ({
    sentence: "The storage refused the user name, password or keys.",
    href: repository,
    label: "Change the credentials",
  }),
  untrusted_file: ({ repository }) => ({
    sentence:
      "Make the file belong to root and writable by nobody else, with all folders above it, then run again.",
    href: repository,
    label: "Look at its environment",
  }),
  restic_missing: NO_RESTIC,
  needs_newer_restic: NO_RESTIC,
  source_missing: ({ host }) => ({
    sentence:
      "A folder of the source group is not there or cannot be read. Correct the group, or the folder.",
    href: `${host}/sources`,
    label: "Open Sources",
  }),
  pre_hook_skipped: () => ({
    sentence:
      "The pre_hook asked to skip it (exit 75). It counts as no backup: the host is due as before.",
  }),
  no_space: ({ again }) => ({
    sentence: "The storage is full. Make room there, then run again.",
    ...again,
  }),
  append_only: NEEDS_ADMIN_CREDENTIAL,
  no_admin_credential: NEEDS_ADMIN_CREDENTIAL,
  nothing_saved: ({ host }) => ({
    sentence:
      "A path is a link, an empty folder, or the place of a disk that is not mounted. Correct the group, or the folder.",
    href: `${host}/sources`,
    label: "Open Sources",
  }),
  sources: LOOK_AT_SOURCES,
  less_than_usual: LOOK_AT_SOURCES,
  holds_data: ({ host }) => ({
    sentence:
      "What is there stays as it was. To begin anew, clear that place by hand, then initialise it again.",
    href: `${host}/repository`,
    label: "Open the Repository tab",
  }),
  damaged: () => ({
    sentence:
      "Change nothing there by hand. The restic manual, “Troubleshooting”, tells how to find out what can be saved.",
  }),
}));
