// The id that restic gave a repository: whether it stands here twice, and the question when it has changed.
import type { PlaceId, Repository } from "../../shared/shapes/repository.ts";
import { Csrf } from "../parts/csrf.tsx";
import { Problems } from "../parts/field.tsx";
import type { Errors } from "../parts/field.tsx";
import { Name } from "../parts/name.tsx";
import { StateWord } from "../parts/state.tsx";
import { Time } from "../parts/time.tsx";

export interface ResticIdProps {
  repositoryId: string;
  csrf: string;
  now: number;
  restic_ids: (PlaceId & { hostName: string | null })[];
  same_as: Repository["same_as"];
  mayAnswer: boolean;
  errors: Errors;
}

const short = (id: string) => <code title={id}>{id.slice(0, 8)}</code>;

export function ResticIds(props: ResticIdProps) {
  const asked = props.restic_ids.filter((place) => place.changed !== null);
  if (asked.length === 0 && props.same_as.length === 0) return null;
  return (
    <section class="section stack" id="restic-id">
      {asked.map((place) => <Question {...props} place={place} />)}
      {props.same_as.length > 0 && (
        <div class="flash warn stack">
          <p>
            <b>The same repository, or a copy?</b> Its id ({short(props.restic_ids[0]!.restic_id)})
            {" "}
            also stands under another address here. Retention, prune and check of them wait for each
            other; passwords, rights and lists stay apart.
          </p>
          <ul>
            {props.same_as.map((other) => (
              <li>
                <a href={`/repositories/${other.id}`}>
                  <Name text={other.name} />
                </a>{" "}
                <span class="muted">
                  <Name text={other.url} />
                </span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

type Place = ResticIdProps["restic_ids"][number];

function Question(
  { repositoryId, csrf, now, mayAnswer, errors, place }: ResticIdProps & { place: Place },
) {
  const changed = place.changed!;
  return (
    <div class="flash warn stack" role="status">
      <p>
        <StateWord state="warn" word="Another repository than before is at this address" />
      </p>
      <p>
        <a href={`/hosts/${changed.host_id}`}>
          <Name text={changed.host_name} />
        </a>{" "}
        found {short(changed.restic_id)} <Time at={changed.at} now={now} />, where{" "}
        {short(place.restic_id)} was{place.hostName && (
          <>
            , on <Name text={place.hostName} />
          </>
        )}. Perhaps it was made again, a copy was put there, or a disk is not mounted. Backups go
        on; retention, prune, check and first contact wait until an admin says which one is right.
      </p>
      <Problems errors={{ "": errors[""] ?? errors.restic_id }} />
      {mayAnswer && (
        <div class="actions">
          {[
            { id: changed.restic_id, label: "This is right now" },
            { id: place.restic_id, label: "The one before is right" },
          ].map(({ id, label }) => (
            <form method="post" action={`/repositories/${repositoryId}/restic-id`}>
              <Csrf token={csrf} />
              <input type="hidden" name="restic_id" value={id} />
              {place.host_id && <input type="hidden" name="host_id" value={place.host_id} />}
              <button type="submit">{label}</button>
            </form>
          ))}
        </div>
      )}
    </div>
  );
}
