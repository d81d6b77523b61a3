// Machines that ask to join.
import { AcceptedPage, AcceptPage, type AcceptProps } from "../../../templates/pending/accept.tsx";
import type { PendingHostView, PendingProps } from "../../../templates/pending/list.tsx";
import { PendingPage } from "../../../templates/pending/page.tsx";
import { NO_CONNECTION } from "../../../templates/repositories/connection_fields.tsx";
import type { RejectedKey } from "../../../shared/shapes/pending_host.ts";
import { CHOICES, DAY, frame, HOSTILE, HOUR, id, LONG, NOW, type Pages, RTL } from "./common.ts";

const fingerprint = (n: number) => `SHA256:${`3f9a11c077de0b4${n % 10}`.repeat(4)}`;
const waiting = (n: number, changes: Partial<PendingHostView> = {}): PendingHostView => ({
  id: id(300 + n),
  hostname: `pc-${n}`,
  os: "windows",
  arch: "x86_64",
  agent_version: "0.1.0",
  restic_version: "0.18.0",
  fingerprint: fingerprint(n),
  announced_from_ip: `203.0.113.${n}`,
  first_seen_at: NOW - n * 12_000,
  proven_at: NOW - 5000,
  connected: true,
  hostname_collision: false,
  looks_like: null,
  name_warning: null,
  plain_http: false,
  revision: 1,
  ...changes,
});

export const WAITING: PendingHostView[] = [
  waiting(1, { hostname: "pc-anna" }),
  waiting(2, {
    hostname: "w\u0435b-01",
    os: "linux",
    hostname_collision: true,
    connected: false,
    looks_like: "web-01",
    name_warning: "mixes scripts (Latin and Cyrillic: \u0435 U+0435)",
    plain_http: true,
  }),
  waiting(3, {
    hostname: HOSTILE,
    os: HOSTILE,
    arch: HOSTILE,
    agent_version: HOSTILE,
    restic_version: null,
    announced_from_ip: "2001:db8:1234:5678:9abc:def0:1234:5678",
    proven_at: null,
    connected: false,
    hostname_collision: true,
    looks_like: LONG,
    name_warning: HOSTILE,
  }),
  waiting(4, { hostname: RTL }),
  waiting(5, { hostname: LONG }),
];

const REJECTED: RejectedKey[] = [
  {
    id: id(320),
    hostname: "pc-leo",
    fingerprint: fingerprint(7),
    announced_from_ip: "192.0.2.9",
    rejected_at: NOW - HOUR,
    rejected_by: "alice",
    expires_at: NOW + DAY,
  },
  {
    id: id(321),
    hostname: HOSTILE,
    fingerprint: fingerprint(8),
    announced_from_ip: "192.0.2.9",
    rejected_at: NOW - HOUR,
    rejected_by: HOSTILE,
    expires_at: NOW + HOUR,
  },
];

export const pending = (changes: Partial<PendingProps> = {}): PendingProps => ({
  hosts: WAITING.slice(0, 2),
  total: 2,
  rejected: 0,
  now: NOW,
  mayDecide: true,
  ...changes,
});

const accept = (changes: Partial<AcceptProps> = {}): AcceptProps => ({
  frame: frame(),
  host: waiting(1, { hostname: "pc-anna" }),
  values: {
    name: "pc-anna",
    join_as: "new",
    host_id: "",
    tags: "",
    initial_paths: "",
    may_hold_admin_credential: true,
    repository_choice: "existing",
    repository_id: id(71),
    repository: NO_CONNECTION,
  },
  errors: {},
  awayHosts: [{ id: id(4), name: "web-01" }, { id: id(5), name: LONG }],
  repositories: CHOICES,
  ...changes,
});

export const pendingPages: Pages = {
  "pending": () => (
    <PendingPage
      frame={frame()}
      hosts={[...WAITING, ...Array.from({ length: 20 }, (_, n) => waiting(n + 6))]}
      total={100}
      rejected={REJECTED}
      mayDecide
      next="/pending-hosts?cursor=25"
    />
  ),
  "pending-none": () => (
    <PendingPage frame={frame()} hosts={[]} total={0} rejected={[]} mayDecide={false} />
  ),
  "accept": () => <AcceptPage {...accept()} />,
  "accept-wrong": () => (
    <AcceptPage
      {...accept({
        host: waiting(3, { hostname: LONG, hostname_collision: true }),
        repositories: CHOICES,
        errors: {
          "": "fingerprint is not that of the machine that waits here. Compare it again.",
          name: "name must begin with a letter or digit.",
          "repository.password": "repository.password is required to open a repository.",
        },
        values: { ...accept().values, name: HOSTILE, repository_choice: "new" },
      })}
    />
  ),
  "accept-reinstalled": () => (
    <AcceptPage
      {...accept({
        errors: {
          host_id:
            "The agent of web-01 is connected, so its place is not free. Stop that agent, or wait two minutes if its machine is gone, and try again.",
        },
        values: { ...accept().values, join_as: "existing", host_id: id(5) },
      })}
    />
  ),
  "accepted": () => (
    <AcceptedPage
      frame={frame()}
      host={{ id: id(5), name: "pc-anna" }}
      password="k7x4m-q2p9v-h5n3w-t8r6y-b4c7d"
    />
  ),
};
