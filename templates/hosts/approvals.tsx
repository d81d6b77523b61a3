// What operators may choose on a host: an admin's form, or what they may, in words.
import { plural } from "../format.ts";
import { Csrf } from "../parts/csrf.tsx";
import { type Errors, LinesField, Problems } from "../parts/field.tsx";
import { Name } from "../parts/name.tsx";

export interface ApprovalsProps {
  /** One a line, as stored or as typed. */
  roots: string;
  repositories: { id: string; name: string; isApproved: boolean; isBound: boolean }[];
  /** Others that are not approved. */
  hiddenRepositories: number;
  mayChange: boolean;
  errors: Errors;
}

type Props = ApprovalsProps & { hostId: string; csrf: string };

export function Approvals(props: Props) {
  return (
    <section class="section stack narrow" id="approvals">
      <h2>What operators may choose</h2>
      <p class="help">
        The agent runs as root. Operators choose paths below these folders and among these
        repositories; admins choose freely, and what an admin has set stays.
      </p>
      {props.mayChange ? <ApprovalsForm {...props} /> : <Approved {...props} />}
    </section>
  );
}

function Approved({ roots, repositories }: Props) {
  const approved = repositories.filter(({ isApproved }) => isApproved);
  return (
    <dl class="facts">
      <dt>Folders</dt>
      <dd>
        {roots === ""
          ? <span class="muted">none yet: ask an admin</span>
          : <ul class="paths">{roots.split("\n").map((root) => <li>{root}</li>)}</ul>}
      </dd>
      <dt>Repositories</dt>
      <dd>
        <ul class="paths">
          {approved.map(({ name }) => (
            <li>
              <Name text={name} />
            </li>
          ))}
        </ul>
      </dd>
    </dl>
  );
}

function ApprovalsForm({ roots, repositories, hiddenRepositories, errors, hostId, csrf }: Props) {
  return (
    <form method="post" action={`/hosts/${hostId}/approvals#approvals`} class="form">
      <Csrf token={csrf} />
      <Problems errors={errors} />
      <LinesField
        name="approved_roots"
        label="Folders"
        value={roots}
        error={errors.approved_roots}
        isOptional
        help="One a line, such as /home or C:\Users. Operators may back up and restore to what is below them. / is everything."
      />
      <fieldset>
        <legend>Repositories</legend>
        {errors.approved_repository_ids && <p class="error">{errors.approved_repository_ids}</p>}
        {repositories.map((repository) => <ApprovedRepository {...repository} />)}
        {hiddenRepositories > 0 && (
          <p class="help">
            and{" "}
            {plural(hiddenRepositories, "more repository", "more repositories")}. What an admin
            binds the host to above is approved by that.
          </p>
        )}
      </fieldset>
      <p>
        <button type="submit">Save what they may choose</button>
      </p>
    </form>
  );
}

function ApprovedRepository(
  { id, name, isApproved, isBound }: ApprovalsProps["repositories"][number],
) {
  return (
    <div class="tick">
      <input
        id={`approve-${id}`}
        type="checkbox"
        name="approved_repository_ids"
        value={id}
        checked={isApproved}
        disabled={isBound}
      />
      <label for={`approve-${id}`}>
        <Name text={name} />
        {isBound && <span class="muted">, where it backs up to now</span>}
      </label>
    </div>
  );
}
