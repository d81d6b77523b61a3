// What keeps a repository healthy: retention, prune and check with their age and outcome, its size, who holds a lock, and
// the credential that may delete.
import { cronInWords } from "../../shared/cron.ts";
import { messageOf } from "../../shared/problem_words.ts";
import type { Problem } from "../../shared/problems.ts";
import { visible } from "../../shared/redact.ts";
import { bytes, count, plural } from "../format.ts";
import type { FrameProps } from "../layout.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { Csrf, PostButton } from "../parts/csrf.tsx";
import { Checkbox, type Errors, Problems, SecretField, TextField } from "../parts/field.tsx";
import { type RefusedRun, RunOneLimited } from "../parts/limits.tsx";
import { Name, titleOf } from "../parts/name.tsx";
import { jobState, StateWord } from "../parts/state.tsx";
import { Time } from "../parts/time.tsx";
import type { MaintenanceKind } from "../../shared/job_kinds/all.ts";
import type {
  LeaseHolder,
  MaintenanceHost,
  MaintenanceTask,
  RepositoryLock,
} from "../../shared/shapes/maintenance.ts";
import type { Repository } from "../../shared/shapes/repository.ts";

export type ShownTask =
  & Pick<
    MaintenanceTask,
    | "kind"
    | "enabled"
    | "cron"
    | "read_data_percent"
    | "next_run_at"
    | "last_run"
    | "last_success_at"
    | "uses_admin_credential"
  >
  & {
    /** Why it does not run although it is enabled. */
    off_because: Problem | null;
  };

/** Who alone may write there now. */
type ShownLease = Pick<
  LeaseHolder,
  "job_id" | "kind" | "host_id" | "host_name" | "online" | "since"
>;

type ShownLock = RepositoryLock & { isStale: boolean };

export interface MaintenanceProps {
  frame: FrameProps;
  repository: Pick<
    Repository,
    "id" | "total_size" | "restore_size" | "snapshots_count" | "admin_credential_set"
  >;
  tasks: ShownTask[];
  locks: ShownLock[];
  leases: ShownLease[];
  locks_seen_at: number | null;
  /** Of the hosts that use it those that are named and the first others; with why a named one gets nothing. */
  holders: (MaintenanceHost & { isNamed: boolean })[];
  hiddenHosts: number;
  /** Why the admin credential goes nowhere, or null. */
  noHolder: Problem | null;
  /** Operators: cadences and runs. */
  mayChange: boolean;
  /** Admins: the credential that may delete. */
  mayChangeAdmin: boolean;
  values?: Record<string, string>;
  errors: Errors;
  refused?: RefusedRun;
  /** The removal of every lock, as it was refused. */
  unlock?: { typed: string; errors: Errors };
  /** The release of a lease, as it was refused. */
  release?: { typed: string; errors: Errors };
}

const WORDS: Record<MaintenanceKind, [name: string, about: string, verb: string]> = {
  forget: ["Retention", "removes snapshots that no policy keeps", "Run retention"],
  prune: ["Prune", "frees the space of what was removed", "Prune now"],
  check: ["Check", "reads a part of the data and compares it", "Check now"],
};

export function Maintenance(props: MaintenanceProps) {
  const { frame, tasks, repository, mayChange } = props;
  const startable = tasks.filter((task) => mayStart(props, task));
  return (
    <section class="section" id="maintenance">
      <h2>Maintenance</h2>
      <table class="table fold">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">When (UTC)</th>
            <th scope="col">Next</th>
            <th scope="col">Last</th>
            <th scope="col">Last success</th>
            <th scope="col">
              <span class="off-screen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tasks.map((task) => <TaskRow {...props} task={task} />)}
        </tbody>
      </table>
      {startable.length > 0 && (
        <RunOneLimited
          to={`/repositories/${repository.id}/jobs`}
          csrf={frame.csrf}
          name="kind"
          label="What"
          options={startable.map(({ kind }) => ({
            value: kind,
            label: WORDS[kind][0],
          }))}
          button="Run now"
          refused={props.refused}
        />
      )}
      {mayChange && <Cadences {...props} />}
      <Health {...props} />
      <AdminCredential {...props} />
    </section>
  );
}

function mayStart({ mayChange, mayChangeAdmin }: MaintenanceProps, task: ShownTask): boolean {
  return mayChange && !task.off_because && (mayChangeAdmin || !task.uses_admin_credential);
}

function TaskRow(props: MaintenanceProps & { task: ShownTask }) {
  const { frame, repository, task } = props;
  return (
    <tr>
      <td class="first">
        {WORDS[task.kind][0]} <span class="muted small">{WORDS[task.kind][1]}</span>
      </td>
      <td>{task.enabled ? cronInWords(task.cron) : "off"}</td>
      <td data-head={task.off_because ? undefined : "next"}>
        {task.off_because
          ? (
            <span class="warn">
              <Name text={messageOf(task.off_because)} />
            </span>
          )
          : task.next_run_at === null
          ? "—"
          : <Time at={task.next_run_at} now={frame.now} />}
      </td>
      <td data-head="last">
        <LastRun task={task} now={frame.now} />
      </td>
      <td data-head="last success">
        {task.last_success_at === null
          ? <span class="muted">never</span>
          : <Time at={task.last_success_at} now={frame.now} />}
      </td>
      <td class="act">
        {mayStart(props, task) && (
          <PostButton
            to={`/repositories/${repository.id}/jobs`}
            name="kind"
            value={task.kind}
            label={WORDS[task.kind][2]}
          />
        )}
      </td>
    </tr>
  );
}

function LastRun({ task, now }: { task: ShownTask; now: number }) {
  if (!task.last_run) return <span class="muted">never</span>;
  return (
    <span title={titleOf(task.last_run.reason, 0)}>
      <StateWord state={jobState(task.last_run.status)} word={task.last_run.status} />{" "}
      <a href={`/jobs/${task.last_run.job_id}`}>
        <Time at={task.last_run.at} now={now} />
      </a>
    </span>
  );
}

function Cadences({ frame, repository, tasks, values, errors }: MaintenanceProps) {
  return (
    <details
      class="unfold section"
      open={Object.keys(errors).some((name) => name.includes("."))}
    >
      <summary>Change when…</summary>
      <form method="post" action={`/repositories/${repository.id}/maintenance`} class="form nested">
        <Csrf token={frame.csrf} />
        {tasks.map((task) => <Cadence task={task} values={values} errors={errors} />)}
        <p>
          <button type="submit">Save</button>
        </p>
      </form>
    </details>
  );
}

function Cadence(
  { task, values, errors }: Pick<MaintenanceProps, "values" | "errors"> & {
    task: MaintenanceProps["tasks"][number];
  },
) {
  const typed = (name: string, stored: string) => values?.[name] ?? stored;
  return (
    <fieldset class="part">
      <legend>{WORDS[task.kind][0]}</legend>
      <div class="part-in">
        <Checkbox
          name={`${task.kind}.enabled`}
          label="Enabled"
          isChecked={values ? values[`${task.kind}.enabled`] === "on" : task.enabled}
        />
        <TextField
          name={`${task.kind}.cron`}
          label="When (UTC)"
          isMono
          value={typed(`${task.kind}.cron`, task.cron)}
          error={errors[`${task.kind}.cron`]}
          help="Minute, hour, day, month, weekday."
        />
        {task.kind === "check" && (
          <TextField
            name="check.read_data_percent"
            label="How much of the data to read, %"
            type="number"
            min={0}
            max={100}
            value={typed("check.read_data_percent", String(task.read_data_percent ?? 0))}
            error={errors["check.read_data_percent"]}
            help="Each check reads the next part, so that in time all of it has been read. A check that reads nothing does not see flipped bits."
          />
        )}
      </div>
    </fieldset>
  );
}

function Health(props: MaintenanceProps) {
  const { frame, repository, locks, mayChange, ...p } = props;
  return (
    <div class="section stack">
      <h2>Health</h2>
      <HealthFacts {...props} />
      {mayChange && (
        <p class="actions">
          <PostButton
            to={`/repositories/${repository.id}/jobs`}
            name="kind"
            value="stats"
            label="Look now"
          />
          {locks.length > 0 && (
            <PostButton
              to={`/repositories/${repository.id}/jobs`}
              name="kind"
              value="unlock"
              label="Remove stale locks"
            />
          )}
        </p>
      )}
      {p.mayChangeAdmin && (locks.length > 0 || p.unlock) && (
        <RemoveEveryLock {...p} frame={frame} repository={repository} locks={locks} />
      )}
      {p.mayChangeAdmin && (p.leases.length > 0 || p.release) && (
        <ReleaseLease {...p} frame={frame} repository={repository} />
      )}
    </div>
  );
}

function HealthFacts({ frame, repository, locks, ...p }: MaintenanceProps) {
  const { total_size, restore_size, snapshots_count } = repository;
  const saved = total_size && restore_size ? restore_size / total_size : null;
  return (
    <dl class="facts">
      <dt>Size</dt>
      <dd>
        {total_size === null ? <span class="muted">not measured yet</span> : (
          <>
            {bytes(total_size)}
            {saved !== null && saved > 1 && (
              <span class="muted">
                {` for ${bytes(restore_size!)} of files: ${saved.toFixed(1)} times what it takes`}
              </span>
            )}
          </>
        )}
      </dd>
      <dt>Snapshots</dt>
      <dd>{snapshots_count === null ? <span class="muted">—</span> : count(snapshots_count)}</dd>
      <dt>Locks</dt>
      <dd>
        <Locks {...p} locks={locks} now={frame.now} />
      </dd>
      {p.leases.length > 0 && (
        <>
          <dt>At work alone</dt>
          <dd>
            <ul class="paths">
              {p.leases.map((lease) => <Lease lease={lease} now={frame.now} />)}
            </ul>
          </dd>
        </>
      )}
    </dl>
  );
}

function Locks(
  { locks, locks_seen_at, now }: Pick<MaintenanceProps, "locks" | "locks_seen_at"> & {
    now: number;
  },
) {
  if (locks_seen_at === null) return <span class="muted">not looked at yet</span>;
  return (
    <>
      {locks.length === 0
        ? "none"
        : <ul class="paths">{locks.map((lock) => <Lock lock={lock} now={now} />)}</ul>}{" "}
      <span class="muted">
        seen <Time at={locks_seen_at} now={now} />
      </span>
    </>
  );
}

type Removal = Pick<MaintenanceProps, "frame" | "repository" | "locks" | "unlock">;

function RemoveEveryLock({ frame, repository, locks, unlock }: Removal) {
  const holders = [...new Set(locks.map(({ hostname }) => hostname))];
  const errors = unlock?.errors ?? {};
  return (
    <details class="unfold" id="locks" open={unlock !== undefined}>
      <summary>Remove every lock…</summary>
      <form
        method="post"
        action={`/repositories/${repository.id}/jobs#locks`}
        class="form nested"
      >
        <Csrf token={frame.csrf} />
        <input type="hidden" name="kind" value="unlock" />
        <input type="hidden" name="remove_all" value="on" />
        <Problems errors={{ "": errors[""], kind: errors.kind }} />
        <p>
          For a lock whose holder is dead although it looks alive. A restic that still works under
          it is not stopped: prune beside it destroys backups. Look on{" "}
          {holders.length === 1 ? <Name text={holders[0]!} /> : "each machine"}{" "}
          first. Nothing is removed while a host has a job in this repository, nor when a lock has
          come since.
        </p>
        <TextField
          name="confirm_hostname"
          label="Name of the machine that holds the lock"
          value={unlock?.typed}
          error={errors.confirm_hostname}
          help="Type it as it stands in the list of locks above."
        />
        <p>
          <button type="submit" class="danger">Remove every lock</button>
        </p>
      </form>
    </details>
  );
}

function Lease({ lease, now }: { lease: ShownLease; now: number }) {
  return (
    <li>
      <a href={`/jobs/${lease.job_id}`}>{lease.kind}</a> of{" "}
      <a href={`/hosts/${lease.host_id}`}>
        <Name text={lease.host_name} />
      </a>, since <Time at={lease.since} now={now} />
      {!lease.online && (
        <>
          {" "}
          <StateWord state="warn" word="offline" />{" "}
          <span class="muted">It may still be at it: others wait until it is back.</span>
        </>
      )}
    </li>
  );
}

function ReleaseLease(
  { frame, repository, leases, release }: Pick<
    MaintenanceProps,
    "frame" | "repository" | "leases" | "release"
  >,
) {
  const errors = release?.errors ?? {};
  return (
    <details class="unfold" id="lease" open={release !== undefined}>
      <summary>Let others write there…</summary>
      <form
        method="post"
        action={`/repositories/${repository.id}/lease/release#lease`}
        class="form nested"
      >
        <Csrf token={frame.csrf} />
        <Problems errors={{ "": errors[""] }} />
        <p>
          For a machine that is gone for good, or where you have seen that its restic has ended. One
          that still works is not stopped: two that write alone destroy backups. Removing the host
          releases it as well.
        </p>
        <TextField
          name="confirm_hostname"
          of="lease"
          label="Name of the host that is at work alone"
          value={release?.typed}
          error={errors.confirm_hostname}
          help={`Type it as it stands above${leases.length > 1 ? ", one at a time" : ""}.`}
        />
        <p>
          <button type="submit" class="danger">Release its lease</button>
        </p>
      </form>
    </details>
  );
}

function Lock({ lock, now }: { lock: ShownLock; now: number }) {
  return (
    <li>
      {lock.exclusive ? "exclusive" : "shared"}, by <Name text={lock.username ?? "someone"} /> on
      {" "}
      <Name text={lock.hostname} />
      {lock.pid !== null && `, process ${lock.pid}`}, <Time at={lock.at} now={now} />{" "}
      {lock.isStale && <StateWord state="warn" word="stale" />}
    </li>
  );
}

function AdminCredential(props: MaintenanceProps) {
  const { frame, repository, mayChangeAdmin } = props;
  const isSet = repository.admin_credential_set;
  const to = `/repositories/${repository.id}/admin-credential`;
  return (
    <div class="section stack">
      <h2>Admin credential</h2>
      <p class="muted">
        {isSet
          ? "Set. It is sent with each retention and prune, to the hosts that an admin named, lives in the agent's memory for that job, and is never written to its disk."
          : "Not set. Retention uses the repository credential, and prune is off. With one of its own, a stolen machine can add backups but not destroy them."}
      </p>
      {isSet && props.noHolder && (
        <p>
          <StateWord state="warn" word={visible(messageOf(props.noHolder))} />
        </p>
      )}
      {isSet && !mayChangeAdmin && <NamedHosts {...props} />}
      {mayChangeAdmin && (
        <>
          <AdminCredentialForm {...props} to={to} />
          <Holders {...props} />
          {isSet && (
            <Confirm
              label="Remove it…"
              to={`${to}/delete`}
              csrf={frame.csrf}
              button="Remove credential"
            >
              <p>Prune is off afterwards, and retention uses the repository credential.</p>
            </Confirm>
          )}
        </>
      )}
    </div>
  );
}

function AdminCredentialForm(props: MaintenanceProps & { to: string }) {
  const { frame, repository, errors, to } = props;
  return (
    <details
      class="unfold"
      open={["username", "rest_password", "everyday", ""].some((name) => errors[name])}
    >
      <summary>{repository.admin_credential_set ? "Replace…" : "Set…"}</summary>
      <form method="post" action={to} class="form nested">
        <Csrf token={frame.csrf} />
        <Problems errors={{ "": errors[""] }} />
        <Checkbox
          name="everyday"
          label="The repository credential may delete"
          error={errors.everyday}
          help="For a folder or a storage that knows only one credential."
        />
        <TextField
          name="username"
          label="Storage user that may delete"
          value={props.values?.username}
          error={errors.username}
          isOptional
        />
        <SecretField
          name="rest_password"
          label="Its password"
          isSet={false}
          error={errors.rest_password}
          isOptional
        />
        <p>
          <button type="submit" class="primary">Save credential</button>
        </p>
      </form>
    </details>
  );
}

function NamedHosts({ holders, frame }: MaintenanceProps) {
  const named = holders.filter(({ isNamed, waits_since }) => isNamed || waits_since !== null);
  if (named.length === 0) return null;
  return (
    <ul class="paths">
      {named.map((host) => (
        <li>
          <Name text={host.name} />
          <Waits at={host.waits_since} now={frame.now} />
        </li>
      ))}
    </ul>
  );
}

function Waits({ at, now }: { at: number | null; now: number }) {
  if (at === null) return null;
  return (
    <>
      {" "}
      <StateWord state="warn" word="waits for an admin's word" />{" "}
      <span class="muted">
        since <Time at={at} now={now} />
      </span>
    </>
  );
}

/** Which hosts may hold it: none until an admin says so. */
function Holders(props: MaintenanceProps) {
  const { frame, repository, holders, errors } = props;
  const error = Object.entries(errors).find(([field]) => field.startsWith("host_ids"))?.[1];
  if (holders.length === 0) {
    return <p class="muted">No host uses the repository yet that could hold it.</p>;
  }
  return (
    <form
      method="post"
      action={`/repositories/${repository.id}/maintenance-hosts#holders`}
      class="form nested"
      id="holders"
    >
      <Csrf token={frame.csrf} />
      <fieldset>
        <legend>Hosts that may hold it</legend>
        {holders.map((host) => <Holder host={host} now={frame.now} />)}
        {props.hiddenHosts > 0 && (
          <p class="muted">
            and {plural(props.hiddenHosts, "more host")}, to be named by the API
          </p>
        )}
        {error && <p class="error">{error}</p>}
        <p class="help">
          Retention and prune run there for all hosts of the repository. Choose machines that you
          trust with all of these backups. One that waits is named again by ticking it.
        </p>
      </fieldset>
      <p>
        <button type="submit">Save hosts</button>
      </p>
    </form>
  );
}

function Holder({ host, now }: { host: MaintenanceProps["holders"][number]; now: number }) {
  return (
    <div class="tick">
      <input
        id={`holder-${host.id}`}
        type="checkbox"
        name="host_ids"
        value={host.id}
        checked={host.isNamed}
      />
      <label for={`holder-${host.id}`}>
        <Name text={host.name} />
        <Waits at={host.waits_since} now={now} />
      </label>
    </div>
  );
}

/** "2 snapshots were removed by …" stands where the snapshots do. */
export function lossInWords(lost: number): string {
  return `${plural(lost, "snapshot")} ${
    lost === 1 ? "was" : "were"
  } removed by a restic that is not ours`;
}
