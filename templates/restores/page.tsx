// A restore in five decisions on one page: what, to which machine, where, what is done with what is there, and what is looked at afterwards.
import { visible } from "../../shared/redact.ts";
import { shownPath } from "../../shared/snapshot_path.ts";
import { count, middleCut } from "../format.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { Csrf } from "../parts/csrf.tsx";
import { Checkbox, type Errors, Problems, SelectField, TextField } from "../parts/field.tsx";
import { Name } from "../parts/name.tsx";
import { At, Time } from "../parts/time.tsx";
import type { SnapshotView } from "../snapshots/page.tsx";
import { formPath } from "../snapshots/link.ts";
import { commandOf, finalPath } from "./command.ts";

export interface RestoreHost {
  id: string;
  name: string;
  os: string;
  online: boolean;
}

export interface RestorePageProps {
  frame: FrameProps;
  draft: {
    id: string;
    repository_id: string;
    /** The first of them. */
    items: string[];
    items_count: number;
    choice: {
      host_id: string;
      kind: "folder" | "original";
      path: string;
      keep_paths: boolean;
      overwrite: string;
      verify: boolean;
      undo: boolean;
    };
    expires_at: number;
  };
  snapshot: SnapshotView;
  /** Those that this person may restore to. */
  hosts: RestoreHost[];
  /** The chosen one. */
  host: (RestoreHost & { hasRepository: boolean }) | undefined;
  /** The new folder, where none was typed. */
  proposed: string | undefined;
  /** The folder lies in what a source group of the host backs up. */
  isBackedUp: boolean;
  isAdmin: boolean;
  errors: Errors;
}

export function RestorePage(props: RestorePageProps) {
  const { frame, draft, snapshot: s, errors } = props;
  const to = `/restores/${draft.id}`;
  return (
    <Layout {...frame} title={`Restore from ${s.id.slice(0, 8)}`} current="hosts">
      <div class="narrow">
        <p class="crumbs">
          <a href={`/snapshots/${s.id}?repository=${draft.repository_id}`}>
            Snapshot {s.id.slice(0, 8)}
          </a>
        </p>
        <div class="head">
          <div>
            <h1>Restore</h1>
            <p class="lead">
              From the snapshot of <At at={s.time} /> (<Time at={s.time} now={frame.now} />) of{" "}
              <Name text={middleCut(s.source?.name ?? s.hostname, 60)} />. Nothing is written before
              you say so.
            </p>
          </div>
        </div>
        <Doubts snapshot={s} />
        <form method="post" action={to} class="form">
          <Csrf token={frame.csrf} />
          {/* What the Enter key means: never the restore itself. */}
          <button type="submit" name="act" value="update" class="off-screen" tabindex={-1}>
            Show
          </button>
          <Problems errors={errors} />
          <What {...props} />
          <Machine {...props} />
          <Where {...props} />
          <Checks {...props} />
          <Summary {...props} />
          <p class="actions">
            <button type="submit" name="act" value="start" class="primary">
              {draft.choice.kind === "original" ? "Restore over what is there" : "Restore"}
            </button>
            <button type="submit" name="act" value="try">Show what would be written</button>
            <button type="submit" formaction={`${to}/delete`}>Discard</button>
          </p>
        </form>
      </div>
    </Layout>
  );
}

/** Said here again: this is the moment in which it counts. */
function Doubts({ snapshot: s }: { snapshot: SnapshotView }) {
  return (
    <>
      {s.incomplete && (
        <p class="warn">
          This snapshot is incomplete. {s.job && (
            <>
              Look at <a href={`/jobs/${s.job.id}`}>its backup</a>{" "}
              whether what you want is among what could not be read.
            </>
          )}
        </p>
      )}
      {(s.much_smaller || s.withheld) && (
        <p class="warn">
          It holds much less than the one before.{" "}
          {s.before && (
            <a href={`/snapshots/${s.before.id}?repository=${s.repository_id}`}>
              The one before may be the one that you want.
            </a>
          )}
        </p>
      )}
    </>
  );
}

function What({ draft, snapshot: s }: RestorePageProps) {
  const more = draft.items_count - draft.items.length;
  return (
    <fieldset class="part">
      <legend>What</legend>
      {draft.items_count === 0 ? <p class="muted">Nothing is chosen.</p> : (
        <ul class="chosen">
          {draft.items.map((path) => (
            <li>
              <span class="mono">
                <bdi>{visible(middleCut(shownPath(path), 120))}</bdi>
              </span>
              <button type="submit" name="remove" value={formPath(path)} class="slim">
                Leave out<span class="off-screen">: {visible(middleCut(shownPath(path), 60))}</span>
              </button>
            </li>
          ))}
          {more > 0 && <li class="muted">and {count(more)} more</li>}
        </ul>
      )}
      <p>
        <a
          href={`/snapshots/${s.id}?${new URLSearchParams({
            repository: draft.repository_id,
            draft: draft.id,
          })}`}
        >
          Choose more files
        </a>
      </p>
    </fieldset>
  );
}

function Machine({ draft, snapshot: s, hosts, host, isAdmin, errors }: RestorePageProps) {
  const isOther = host && host.id !== s.source?.id;
  if (hosts.length === 0) {
    return (
      <fieldset class="part">
        <legend>To which machine</legend>
        <p class="warn">
          The host of this snapshot is not here any more. An admin can restore it to another one.
        </p>
      </fieldset>
    );
  }
  return (
    <fieldset class="part">
      <legend>To which machine</legend>
      <SelectField
        name="host_id"
        label="Machine"
        value={draft.choice.host_id}
        error={errors.host_id ?? errors.snapshot_id}
        options={[
          ...host ? [] : [{ value: "", label: "Choose one" }],
          ...hosts.map(({ id, name, online }) => ({
            value: id,
            label: `${middleCut(name, 60)}${id === s.source?.id ? ", whose snapshot it is" : ""}${
              online ? "" : " (offline)"
            }`,
          })),
        ]}
        help={isAdmin ? undefined : "To another machine an admin restores."}
      />
      {host && !host.online && (
        <p class="warn">
          <Name text={middleCut(host.name, 60)} />{" "}
          is offline: start its agent, or choose another machine that reaches the repository.
        </p>
      )}
      {isOther && (
        <p class="muted">
          {!host.hasRepository && (
            <>
              <Name text={middleCut(host.name, 60)} />{" "}
              is given the repository's credential for this one job.{" "}
            </>
          )}
          Owners come as numbers: they may be other users there.
        </p>
      )}
    </fieldset>
  );
}

function Where(props: RestorePageProps) {
  const { draft: { choice, items }, host, proposed, isAdmin, errors } = props;
  const first = items[0];
  const final = first && host && finalPath(first, { choice, os: host.os, proposed });
  return (
    <fieldset class="part">
      <legend>Where</legend>
      <div class="stack">
        <Checkbox
          type="radio"
          name="kind"
          value="folder"
          label="Into a new folder"
          isChecked={choice.kind === "folder"}
          help="Nothing that is there is touched. The folder is closed to others until all is written, and then opened for the owner of what you chose."
        />
        <div class="under">
          <TextField
            name="target.path"
            label="Folder"
            value={choice.path}
            isMono
            isOptional
            placeholder={proposed}
            error={errors["target.path"]}
            help="New or empty. Blank for the one that is proposed."
          />
          <Checkbox
            type="radio"
            name="keep_paths"
            value="yes"
            label="With the whole path"
            isChecked={choice.keep_paths}
          />
          <Checkbox
            type="radio"
            name="keep_paths"
            value="no"
            label="The chosen files and folders alone"
            isChecked={!choice.keep_paths}
          />
        </div>
        {isAdmin && <Original {...props} />}
        {final && (
          <p>
            {choice.kind === "folder" ? "It comes to lie at " : "It is written to "}
            <span class="mono">
              <bdi>{visible(middleCut(final, 160))}</bdi>
            </span>
            {restOf(props.draft.items_count)}.
          </p>
        )}
        {choice.kind === "folder" && props.isBackedUp && (
          <p class="muted">
            This folder lies in what the host backs up. Until the restore is done it is left out of
            that; afterwards it is in the next backup.
          </p>
        )}
      </div>
    </fieldset>
  );
}

function restOf(all: number): string {
  if (all <= 1) return "";
  return all === 2 ? ", and the other one likewise" : `, and the other ${count(all - 1)} likewise`;
}

const OVERWRITE_WORDS = [
  { value: "always", label: "Write over every file that differs" },
  { value: "if-changed", label: "Write over those with another size or time" },
  { value: "if-newer", label: "Write over those that are older than in the snapshot" },
  { value: "never", label: "Keep what is there; write what is missing" },
];

function Original({ draft: { choice }, host, errors }: RestorePageProps) {
  return (
    <>
      <Checkbox
        type="radio"
        name="kind"
        value="original"
        label="Where the files were"
        isChecked={choice.kind === "original"}
        error={errors.target}
        help="Over what is there now. Files that are not in the snapshot stay. Needs restic 0.17 on that machine."
      />
      <div class="under">
        <SelectField
          name="overwrite"
          label="Files that are there"
          value={choice.overwrite}
          options={OVERWRITE_WORDS}
          error={errors.overwrite}
        />
        {host && !host.hasRepository
          ? (
            <p class="muted">
              What is there now is not saved first: the repository is not this machine's own. Run
              its backup before.
            </p>
          )
          : (
            <Checkbox
              name="undo"
              label="Save what is there now first, as a snapshot of its own"
              isChecked={choice.undo}
              error={errors.undo}
              help="So that this restore can be undone. Without it nothing is written when that fails."
            />
          )}
        <TextField
          name="target.confirm_hostname"
          label={`Type ${
            host ? visible(middleCut(host.name, 60)) : "the machine's name"
          } to write over what is there`}
          error={errors["target.confirm_hostname"]}
          help="Users who may change these folders could lead the restore elsewhere while it runs: have them log out."
        />
      </div>
    </>
  );
}

function Checks({ draft: { choice } }: RestorePageProps) {
  return (
    <fieldset class="part">
      <legend>Afterwards</legend>
      <Checkbox
        name="verify"
        label="Read all of it again and compare every byte"
        isChecked={choice.verify}
        help="Names, types and sizes are compared in any case. This takes about as long again."
      />
    </fieldset>
  );
}

function Summary({ draft, snapshot, host, proposed }: RestorePageProps) {
  if (!host || draft.items_count === 0) return null;
  const text = commandOf(draft, { snapshotId: snapshot.id, os: host.os, proposed });
  return (
    <details class="unfold">
      <summary>The command of restic</summary>
      <p class="muted">
        What the agent runs, with the repository's password and credential in its environment
        {draft.items_count > draft.items.length ? "; not all items are shown" : ""}.
      </p>
      <pre class="code">{visible(text)}</pre>
    </details>
  );
}
