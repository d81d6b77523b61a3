import { DangerZone } from "../parts/confirm.tsx";
import { Csrf } from "../parts/csrf.tsx";
import { Checkbox, type Errors, Problems, SelectField, TextField } from "../parts/field.tsx";
import { Name } from "../parts/name.tsx";
import { plural } from "../format.ts";
import { type OfferedRepository, repositoryOptions } from "../repositories/options.ts";
import { Approvals, type ApprovalsProps } from "./approvals.tsx";
import { Brakes } from "./brakes.tsx";
import { Machines } from "./machines.tsx";
import { HostFrame, type HostFrameProps } from "./frame.tsx";
import type { HostInstance } from "../../shared/shapes/host.ts";

export interface HostSettingsProps extends HostFrameProps {
  values: { name: string; tags: string; time_zone: string; repository_id: string };
  errors: Errors;
  repositories: OfferedRepository[];
  approvals: ApprovalsProps;
  /** Empty unless the host's identity is in doubt. */
  machines: HostInstance[];
  mayDelete: boolean;
  /** Of the danger zone: confirm_name. */
  deleteErrors: Errors;
}

export function HostSettingsPage(props: HostSettingsProps) {
  const { frame, host, values, errors, repositories } = props;
  return (
    <HostFrame {...props} tab="settings">
      <Machines
        machines={props.machines}
        hostId={host.id}
        csrf={frame.csrf}
        now={frame.now}
        mayChoose={props.mayDelete}
      />
      <form method="post" action={`/hosts/${host.id}/settings`} class="form narrow">
        <Csrf token={frame.csrf} />
        <Problems errors={errors} />
        <TextField
          name="name"
          label="Display name"
          value={values.name}
          error={errors.name}
          help="Its snapshots keep the name they were made under."
          isRequired
        />
        <TextField
          name="tags"
          label="Tags"
          value={values.tags}
          error={errors.tags}
          isOptional
          help="Separated by spaces."
        />
        <TextField
          name="time_zone"
          label="Time zone"
          value={values.time_zone}
          error={errors.time_zone}
          help="Its schedules are kept in it, such as Europe/Berlin or UTC."
          isRequired
        />
        <SelectField
          name="repository_id"
          label="Repository"
          value={values.repository_id}
          error={errors.repository_id}
          options={repositoryOptions(repositories)}
          help="The next backups go there. Snapshots that are there stay where they are."
        />
        <button type="submit" class="primary">Save changes</button>
      </form>
      <Approvals {...props.approvals} hostId={host.id} csrf={frame.csrf} />
      <Brakes brakes={host.brakes} />
      {props.mayDelete && <JoinAgain {...props} />}
      {props.mayDelete && <DeleteHost {...props} />}
    </HostFrame>
  );
}

function JoinAgain({ frame, host }: HostSettingsProps) {
  return (
    <section class="section stack narrow">
      <h2>Join again</h2>
      <p class="help">
        For a machine that was reinstalled or replaced: one command, valid for one hour, by which it
        takes this host back. The agent that has the host now is cut off when the command is used,
        and must be stopped before.
      </p>
      <form method="post" action={`/hosts/${host.id}/rejoin-token`}>
        <Csrf token={frame.csrf} />
        <button type="submit">Make the command</button>
      </form>
    </section>
  );
}

function LeftSnapshots() {
  return (
    <fieldset>
      <legend>What happens to its snapshots?</legend>
      <Checkbox
        type="radio"
        name="snapshots"
        value="ask"
        label="Leave them; the repository's page lists them until someone decides"
        isChecked
      />
      <Checkbox type="radio" name="snapshots" value="keep" label="Keep them for good" />
      <Checkbox
        type="radio"
        name="snapshots"
        value="forget"
        label="Forget them, but for pinned ones, by another host of the repository that is online"
      />
    </fieldset>
  );
}

function DeleteHost({ frame, host, deleteErrors }: HostSettingsProps) {
  const { snapshots_count: snapshots } = host;
  return (
    <DangerZone
      id="delete"
      title="Delete this host…"
      isOpen={Object.keys(deleteErrors).length > 0}
    >
      <p>
        The server forgets{" "}
        <b>
          <Name text={host.name} />
        </b>, its source groups and the logs of its jobs, and its agent is cut off at once.{" "}
        {snapshots
          ? `The repository holds ${plural(snapshots, "snapshot")} of it.`
          : "Nothing in the repository is touched."}
      </p>
      <form method="post" action={`/hosts/${host.id}/delete#delete`} class="form narrow">
        <Csrf token={frame.csrf} />
        <Problems errors={{ "": deleteErrors[""] }} />
        <TextField
          name="confirm_name"
          label="Type the name of the host"
          error={deleteErrors.confirm_name}
          help={
            <>
              It is called{" "}
              <b>
                <Name text={host.name} />
              </b>.
            </>
          }
        />
        {snapshots ? <LeftSnapshots /> : null}
        <button type="submit" class="danger">Delete host</button>
      </form>
    </DangerZone>
  );
}
