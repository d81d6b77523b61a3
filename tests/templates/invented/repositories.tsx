// Repositories.
import { NO_CONNECTION } from "../../../templates/repositories/connection_fields.tsx";
import { RepositoryFormPage } from "../../../templates/repositories/form.tsx";
import { RepositoryListPage } from "../../../templates/repositories/list.tsx";
import type { UngovernedProps } from "../../../templates/repositories/ungoverned.tsx";
import { RepositoryPage, type RepositoryView } from "../../../templates/repositories/page.tsx";
import {
  DAY,
  frame,
  GIB,
  HOSTILE,
  HOUR,
  id,
  LONG,
  MINUTE,
  NOW,
  type Pages,
  RTL,
} from "./common.ts";
import { maintenance, TASKS } from "./maintenance.ts";

export const repositoryView = (changes: Partial<RepositoryView> = {}): RepositoryView => ({
  id: id(70),
  name: "office nas",
  url: "rest:https://nas.example.org:8000/web-01/",
  username: "web-01",
  password_set: true,
  rest_password_set: true,
  environment_names: ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
  append_only: false,
  open_to_operators: false,
  initialised_at: NOW - 3 * DAY,
  is_new: false,
  total_size: 212 * GIB,
  stats_at: NOW - 2 * HOUR,
  hosts: [
    { id: id(4), name: "web-01", state: "ok", last_success_at: NOW - 8 * MINUTE },
    { id: id(1), name: "db-02", state: "bad", last_success_at: NOW - 26 * HOUR },
    { id: id(6), name: HOSTILE, state: "off", last_success_at: null },
  ],
  hostCount: changes.hosts?.length ?? 3,
  restic_ids: [
    {
      host_id: id(4),
      hostName: HOSTILE,
      restic_id: "3f".repeat(32),
      changed: {
        restic_id: "a7".repeat(32),
        host_id: id(4),
        host_name: HOSTILE,
        at: NOW - 5 * MINUTE,
      },
    },
  ],
  same_as: [{ id: id(71), name: HOSTILE, url: "sftp:nas.example.org:/srv/web-01" }],
  ...changes,
});

const HEIRS = [{ id: id(50), name: `databases on ${HOSTILE}` }];
const UNGOVERNED: UngovernedProps = {
  repositoryId: id(70),
  csrf: "token",
  now: NOW,
  items: [
    {
      hostname: "web-00",
      tags: ["default"],
      count: 31,
      pinned: 1,
      oldest_at: NOW - 900 * DAY,
      newest_at: NOW - 40 * DAY,
      kept_by: null,
      groups: HEIRS,
    },
    {
      hostname: HOSTILE,
      tags: [HOSTILE, LONG, RTL],
      count: 1,
      pinned: 1,
      oldest_at: NOW,
      newest_at: NOW,
      kept_by: null,
      groups: HEIRS,
    },
    {
      hostname: "",
      tags: [],
      count: 4000,
      pinned: 0,
      oldest_at: NOW - DAY,
      newest_at: NOW,
      kept_by: HOSTILE,
      groups: HEIRS,
    },
  ],
  listed_at: NOW - 4 * HOUR,
  mayChange: true,
  isAdmin: true,
};

const hosts = (n: number) => Array.from({ length: n }, (_, i) => ({ id: id(i), name: `web-${i}` }));

export const repositoriesPages: Pages = {
  "repositories": () => (
    <RepositoryListPage
      frame={frame()}
      repositories={[
        { ...repositoryView(), hosts: hosts(3) },
        {
          ...repositoryView(),
          id: id(71),
          name: HOSTILE,
          url: `/mnt/${LONG}`,
          initialised_at: null,
          hosts: [],
          total_size: null,
        },
        {
          ...repositoryView(),
          id: id(72),
          name: "offsite",
          url: "s3:https://s3.example.org/backups",
          append_only: true,
          hosts: hosts(41),
        },
      ]}
      nextCursor={null}
      isFirstPage
      mayAdd
    />
  ),
  "repositories-none": () => (
    <RepositoryListPage frame={frame()} repositories={[]} nextCursor={null} isFirstPage mayAdd />
  ),
  "repository": () => (
    <RepositoryPage
      frame={frame()}
      repository={repositoryView()}
      mayChange
      mayDelete
      mayAnswer
      errors={{}}
      maintenance={maintenance()}
      ungoverned={UNGOVERNED}
    />
  ),
  "repository-unused": () => (
    <RepositoryPage
      frame={frame()}
      repository={repositoryView({ name: HOSTILE, hosts: [], initialised_at: null, is_new: true })}
      generatedPassword="vK3q-Zt8w-Rb5m-Xn2c-Jd7f-Hs9p-Lg4y-Qa6e"
      mayChange
      mayDelete
      mayAnswer={false}
      errors={{ confirm_name: "confirm_name must be the name of the repository" }}
      maintenance={maintenance({
        tasks: TASKS.map((task) => ({ ...task, last_run: null, last_success_at: null })),
        locks: [],
        leases: [],
        locks_seen_at: null,
        repository: {
          id: id(70),
          total_size: null,
          restore_size: null,
          snapshots_count: null,
          admin_credential_set: false,
        },
        errors: { "check.cron": "check.cron would never fire: there is no such day" },
      })}
      ungoverned={{ ...UNGOVERNED, items: [] }}
    />
  ),
  "repository-form": () => (
    <RepositoryFormPage
      frame={frame()}
      repository={null}
      values={NO_CONNECTION}
      errors={{}}
      isAdmin
    />
  ),
  "repository-form-edit": () => (
    <RepositoryFormPage
      frame={frame()}
      repository={{
        id: id(70),
        name: "office nas",
        password_set: true,
        rest_password_set: true,
      }}
      values={{
        name: "office nas",
        url: "ftp://nas",
        username: "web",
        is_new: false,
        open_to_operators: true,
        append_only: true,
        certificate_authority: `-----BEGIN CERTIFICATE-----\n${LONG}`,
        options: "s3.storage-class=STANDARD_IA",
        environment: [{ name: "AWS_ACCESS_KEY_ID", isSet: true }],
      }}
      errors={{
        url:
          "url must be an absolute path, or rest:, s3:, sftp:, b2:, azure:, gs:, rclone: or swift: followed by what restic expects",
        password: "password must be one line",
      }}
      isAdmin
    />
  ),
};
