// Snapshots that no source group governs, and what a person may decide of them.
import { count, plural } from "../format.ts";
import { Confirm } from "../parts/confirm.tsx";
import { Csrf } from "../parts/csrf.tsx";
import { SelectField, TextField } from "../parts/field.tsx";
import { Name, Tags } from "../parts/name.tsx";
import { At, Time } from "../parts/time.tsx";
import type { Ungoverned as UngovernedShape } from "../../shared/shapes/snapshot.ts";

export interface UngovernedView extends UngovernedShape {
  /** Who may take them over. */
  groups: { id: string; name: string }[];
}

export interface UngovernedProps {
  repositoryId: string;
  csrf: string;
  now: number;
  items: UngovernedView[];
  /** When the maintenance last listed the snapshots of all hosts. */
  listed_at: number | null;
  mayChange: boolean;
  isAdmin: boolean;
}

export function UngovernedSnapshots(props: UngovernedProps) {
  const { items, listed_at, now } = props;
  if (items.length === 0) return null;
  const open = items.filter(({ kept_by }) => kept_by === null);
  const kept = items.filter(({ kept_by }) => kept_by !== null);
  return (
    <section class="section stack" id="ungoverned">
      <h2>Snapshots without a source group</h2>
      <p class="muted">
        No retention counts or removes them: their group or host was removed here, they are from
        before it joined, or another restic made them
        {listed_at !== null && (
          <>
            . All hosts listed <Time at={listed_at} now={now} />
          </>
        )}.
      </p>
      {open.map((each) => <Row {...props} each={each} />)}
      {kept.length > 0 && (
        <details class="unfold">
          <summary>{plural(kept.length, "kind")} that someone decided to keep</summary>
          <div class="nested stack">{kept.map((each) => <Row {...props} each={each} />)}</div>
        </details>
      )}
    </section>
  );
}

function Row(props: UngovernedProps & { each: UngovernedView }) {
  const { each, mayChange } = props;
  return (
    <div class="group">
      <p>
        {plural(each.count, "snapshot")} of{" "}
        <b>{each.hostname ? <Name text={each.hostname} /> : "—"}</b>{" "}
        <Tags tags={each.tags.slice(0, 5)} />{" "}
        <span class="muted">
          {each.pinned > 0 && `${count(each.pinned)} of them pinned, `}from{" "}
          <At at={each.oldest_at} /> to <At at={each.newest_at} />
          {each.kept_by !== null && (
            <>
              , kept by <Name text={each.kept_by} />
            </>
          )}
        </span>
      </p>
      {mayChange && <Decisions {...props} />}
    </div>
  );
}

function Decisions(props: UngovernedProps & { each: UngovernedView }) {
  const { repositoryId, csrf, each, items, isAdmin } = props;
  const place = `-${items.indexOf(each)}`;
  const to = (what: string) => `/repositories/${repositoryId}/ungoverned/${what}#ungoverned`;
  return (
    <div class="actions">
      {isAdmin && each.groups.length > 0 && (
        <Confirm
          label="Put them under a group…"
          to={to("adopt")}
          csrf={csrf}
          button="Put them under it"
        >
          <Named each={each} />
          <SelectField
            name="source_group_id"
            of={place}
            label="Which group"
            options={each.groups.map(({ id, name }) => ({ value: id, label: name }))}
            help="Its retention counts and removes them from then on, by the times that they carry."
          />
        </Confirm>
      )}
      {each.kept_by === null && (
        <form method="post" action={to("keep")}>
          <Csrf token={csrf} />
          <Named each={each} />
          <button type="submit">Keep them</button>
        </form>
      )}
      {isAdmin && each.pinned < each.count && (
        <ForgetThem each={each} place={place} to={to("forget")} csrf={csrf} />
      )}
    </div>
  );
}

function ForgetThem(
  { each, place, to, csrf }: { each: UngovernedView; place: string; to: string; csrf: string },
) {
  return (
    <Confirm
      label="Forget them…"
      to={to}
      csrf={csrf}
      button={`Forget ${count(each.count - each.pinned)}`}
      isDangerous
    >
      <Named each={each} />
      <p>
        They are removed from the repository for good. What is in no other snapshot is gone with the
        next prune.{each.pinned > 0 && " Pinned ones stay."}
      </p>
      <TextField
        name="confirm_hostname"
        of={place}
        label="Type the host name of the snapshots"
        help={
          <>
            It is{" "}
            <b>
              <Name text={each.hostname} />
            </b>.
          </>
        }
      />
    </Confirm>
  );
}

function Named({ each }: { each: UngovernedView }) {
  return (
    <>
      <input type="hidden" name="hostname" value={each.hostname} />
      <input type="hidden" name="tags" value={JSON.stringify(each.tags)} />
    </>
  );
}
