// What a person decides of a snapshot: pin and unpin it, delete it.
import { middleCut } from "../format.ts";
import { visible } from "../../shared/redact.ts";
import { Confirm, DangerZone } from "../parts/confirm.tsx";
import { Csrf } from "../parts/csrf.tsx";
import { TextField } from "../parts/field.tsx";
import { Name } from "../parts/name.tsx";
import { Time } from "../parts/time.tsx";
import type { SnapshotView } from "./page.tsx";

export interface DecisionProps {
  snapshot: SnapshotView;
  csrf: string;
  now: number;
  mayPin: boolean;
  isAdmin: boolean;
}

/** Whether it is pinned, and who may change that. */
export function Keeping(props: DecisionProps) {
  const { snapshot: s, now, mayPin } = props;
  return (
    <section class="section stack" id="keep">
      <h2>Keeping it</h2>
      {!s.listed && (
        <p class="warn">
          It is pinned, but no longer listed: something other than this server removed it, or its
          host is gone and no maintenance has listed the repository since. What is shown here is
          from when it was pinned.
        </p>
      )}
      {s.pin
        ? (
          <p>
            Pinned by <Name text={middleCut(s.pin.by, 60)} /> <Time at={s.pin.at} now={now} />:{" "}
            <bdi>{visible(s.pin.reason)}</bdi>
          </p>
        )
        : (
          <p class="muted">
            Not pinned: {s.withheld
              ? "retention does not count it while nobody has said that it is right."
              : "it stays for as long as the retention of its group keeps it."}
          </p>
        )}
      {mayPin && <PinForm {...props} />}
    </section>
  );
}

function PinForm({ snapshot: s, csrf }: DecisionProps) {
  if (s.pin) {
    return (
      <Confirm label="Unpin…" to={to(s, "unpin")} csrf={csrf} button="Unpin">
        <p>
          Retention counts it like any other from then on, and may remove it at the next forget.
        </p>
      </Confirm>
    );
  }
  return (
    <Confirm label="Pin…" to={to(s, "pin")} csrf={csrf} button="Pin">
      <p>No forget of this server removes it until someone unpins it. restic is not told.</p>
      <TextField name="reason" label="Why it is kept" isRequired />
    </Confirm>
  );
}

/** Last on the page, for admins. */
export function DeleteSnapshot({ snapshot: s, csrf, isAdmin }: DecisionProps) {
  if (!isAdmin || !s.listed) return null;
  return (
    <DangerZone id="delete" title="Delete this snapshot…" isOpen={false}>
      {s.pin ? <p>It is pinned: unpin it first.</p> : (
        <>
          <p>
            A host that may hold the admin credential removes it from the repository for good, and
            lists the repository again. What is in no other snapshot is gone with the next prune.
          </p>
          <form method="post" action={to(s, "delete")} class="form narrow">
            <Csrf token={csrf} />
            <TextField
              name="confirm_id"
              label="Type the first 8 digits of its id"
              isMono
              isRequired
              help={
                <>
                  They are <code>{s.id.slice(0, 8)}</code>.
                </>
              }
            />
            <button type="submit" class="danger">Delete snapshot</button>
          </form>
        </>
      )}
    </DangerZone>
  );
}

const to = ({ id, repository_id }: SnapshotView, act: string) =>
  `/snapshots/${id}/${act}?repository=${repository_id}`;
