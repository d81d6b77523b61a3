import type { Host } from "../../shared/shapes/host.ts";
import type { Repository } from "../../shared/shapes/repository.ts";
import { type ResticIdProps, ResticIds } from "./restic_id.tsx";
import { type UngovernedProps, UngovernedSnapshots } from "./ungoverned.tsx";
import { Maintenance, type MaintenanceProps } from "./maintenance.tsx";
import { bytes, middleCut, plural } from "../format.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { Command, Copyable } from "../parts/copyable.tsx";
import { DangerZone } from "../parts/confirm.tsx";
import { Csrf } from "../parts/csrf.tsx";
import { type Errors, Problems, TextField } from "../parts/field.tsx";
import { Empty } from "../parts/empty.tsx";
import { Name } from "../parts/name.tsx";
import { Dot, StateWord } from "../parts/state.tsx";
import { Time } from "../parts/time.tsx";

export type RepositoryView =
  & Pick<
    Repository,
    | "id"
    | "name"
    | "url"
    | "username"
    | "password_set"
    | "rest_password_set"
    | "environment_names"
    | "append_only"
    | "open_to_operators"
    | "initialised_at"
    | "is_new"
    | "total_size"
    | "stats_at"
  >
  & Pick<ResticIdProps, "restic_ids" | "same_as">
  & {
    /** At most a hundred, the worst first; `hostCount` counts all of them. */
    hosts: Pick<Host, "id" | "name" | "state" | "last_success_at">[];
    hostCount: number;
  };

export interface RepositoryPageProps {
  frame: FrameProps;
  repository: RepositoryView;
  /** A password that the server has just made: shown on this one answer, never again. */
  generatedPassword?: string;
  mayChange: boolean;
  mayDelete: boolean;
  /** Admins say which id is right. */
  mayAnswer: boolean;
  answerErrors?: Errors;
  errors: Errors;
  maintenance: MaintenanceProps;
  ungoverned: UngovernedProps;
}

export function RepositoryPage(props: RepositoryPageProps) {
  const { frame, repository: r, mayChange } = props;
  return (
    <Layout {...frame} title={r.name} current="repositories">
      <p class="crumbs">
        <a href="/repositories">Repositories</a>
      </p>
      <div class="head">
        <h1>
          <Name text={r.name} />
        </h1>
        {mayChange && <a class="button" href={`/repositories/${r.id}/edit`}>Change…</a>}
      </div>
      {props.generatedPassword && <GeneratedPassword password={props.generatedPassword} />}
      <ResticIds
        repositoryId={r.id}
        csrf={frame.csrf}
        now={frame.now}
        restic_ids={r.restic_ids}
        same_as={r.same_as}
        mayAnswer={props.mayAnswer}
        errors={props.answerErrors ?? {}}
      />
      <RepositoryFacts repository={r} now={frame.now} />
      <UsedBy repository={r} now={frame.now} />
      <Maintenance {...props.maintenance} />
      <OpenSnapshot repositoryId={r.id} />
      <UngovernedSnapshots {...props.ungoverned} />
      {props.mayDelete && <DeleteRepository {...props} />}
    </Layout>
  );
}

/** Those of its hosts are on their pages; of machines that are gone, or of none, the id is known from elsewhere. */
function OpenSnapshot({ repositoryId }: { repositoryId: string }) {
  return (
    <section class="section stack" id="open">
      <h2>Open a snapshot</h2>
      <p>
        <a href={`/repositories/${repositoryId}/snapshots`}>All snapshots in it</a>{" "}
        <span class="muted">of all hosts, also of those that are not here any more</span>
      </p>
      <form class="filters" action="/snapshots">
        <input type="hidden" name="repository" value={repositoryId} />
        <label>
          Its id, or the first 8 digits
          <input type="text" name="id" required minlength={8} maxlength={64} autocomplete="off" />
        </label>
        <button type="submit">Open</button>
      </form>
    </section>
  );
}

function UsedBy({ repository: r, now }: { repository: RepositoryView; now: number }) {
  return (
    <section class="section">
      <h2>Used by {plural(r.hostCount, "host")}</h2>
      {r.hosts.length === 0
        ? (
          <Empty title="No host uses it" action={{ href: "/hosts/new", label: "Add host" }}>
            Choose it when you add a host, or in the settings of one.
          </Empty>
        )
        : (
          <ul class="rows">
            {r.hosts.map((host) => (
              <li>
                <span class="state">
                  <Dot state={host.state} />
                  <a href={`/hosts/${host.id}`}>
                    <Name text={middleCut(host.name, 60)} />
                  </a>
                </span>
                <span class="muted">
                  {host.last_success_at === null ? "no backup yet" : (
                    <>
                      backed up <Time at={host.last_success_at} now={now} />
                    </>
                  )}
                </span>
              </li>
            ))}
            {r.hostCount > r.hosts.length && (
              <li class="muted">and {plural(r.hostCount - r.hosts.length, "more host")}</li>
            )}
          </ul>
        )}
    </section>
  );
}

/** A password that is shown once. */
export function GeneratedPassword({ password }: { password: string }) {
  return (
    <div class="flash warn stack" role="status">
      <p>
        <b>Keep this password somewhere safe, outside these machines.</b>{" "}
        It is shown only now. Without it nobody can ever read the backups in this repository, and
        nobody can recover it.
      </p>
      <Command text={password} what="the repository password" />
    </div>
  );
}

export function RepositoryFacts(
  { repository: r, now }: { repository: RepositoryView; now: number },
) {
  return (
    <dl class="facts">
      <dt>State</dt>
      <dd>
        <Opened repository={r} now={now} />
      </dd>
      <dt>Address</dt>
      <dd>
        <Copyable text={r.url} what="the address" />
      </dd>
      <dt>Password</dt>
      <dd>{r.password_set ? "set" : "not set"}</dd>
      {(r.username || r.rest_password_set) && (
        <>
          <dt>Storage user</dt>
          <dd>
            <Name text={r.username ?? "—"} />
            {r.rest_password_set && <span class="muted">, password set</span>}
          </dd>
        </>
      )}
      {r.environment_names.length > 0 && (
        <>
          <dt>Environment</dt>
          <dd>
            {r.environment_names.map((name) => (
              <div>
                <code>{name}</code> <span class="muted">set</span>
              </div>
            ))}
          </dd>
        </>
      )}
      <dt>Deleting</dt>
      <dd>
        {r.append_only ? "append-only: hosts cannot delete" : "allowed with this credential"}
      </dd>
      <dt>Operators</dt>
      <dd>
        {r.open_to_operators
          ? "may bind hosts to it"
          : "may use it; only admins bind hosts and change it"}
      </dd>
      <dt>Size</dt>
      <dd>
        <Size repository={r} now={now} />
      </dd>
    </dl>
  );
}

function Opened({ repository: r, now }: { repository: RepositoryView; now: number }) {
  if (r.initialised_at === null) {
    return (
      <>
        <StateWord state="off" word="not opened yet" />{" "}
        <span class="muted">
          {r.is_new
            ? "The first host that connects makes it."
            : "The first host that connects opens it."}
        </span>
      </>
    );
  }
  return (
    <>
      <StateWord state="ok" word="ready" />{" "}
      <span class="muted">
        · initialised <Time at={r.initialised_at} now={now} />
      </span>
    </>
  );
}

function Size({ repository: r, now }: { repository: RepositoryView; now: number }) {
  if (r.total_size === null) return <span class="muted">not measured yet</span>;
  return (
    <>
      {bytes(r.total_size)}
      {r.stats_at !== null && (
        <span class="muted">
          , measured <Time at={r.stats_at} now={now} />
        </span>
      )}
    </>
  );
}

function DeleteRepository({ frame, repository: r, errors }: RepositoryPageProps) {
  if (r.hosts.length > 0) {
    return (
      <p class="section muted small">
        It can be removed from here when no host uses it any more.
      </p>
    );
  }
  return (
    <DangerZone
      id="remove"
      title="Remove this repository…"
      isOpen={Object.keys(errors).length > 0}
    >
      <p>
        The server forgets the address, the password and the keys. The data at the address stays as
        it is; without the password nobody can read it, so keep a copy of it.
      </p>
      <form method="post" action={`/repositories/${r.id}/delete#remove`} class="form narrow">
        <Csrf token={frame.csrf} />
        <Problems errors={{ "": errors[""] }} />
        <TextField
          name="confirm_name"
          label="Type the name of the repository"
          error={errors.confirm_name}
          help={
            <>
              It is called{" "}
              <b>
                <Name text={r.name} />
              </b>.
            </>
          }
        />
        <button type="submit" class="danger">Remove repository</button>
      </form>
    </DangerZone>
  );
}
