// Add host: what the server must know before a machine joins by a one-time command.
import { type FrameProps, Layout } from "../layout.tsx";
import { Csrf } from "../parts/csrf.tsx";
import { Command } from "../parts/copyable.tsx";
import { Checkbox, type Errors, Problems } from "../parts/field.tsx";
import { JoiningFields, type JoiningValues } from "./joining_fields.tsx";

export interface AddHostProps {
  frame: FrameProps;
  values: JoiningValues & { hostname: string; replace_open: boolean };
  /** Named like the inputs: hostname, tags, initial_paths, repository_id, repository.url … */
  errors: Errors;
  repositories: { id: string; name: string; url: string }[];
  /** For machines that announce themselves. */
  announceCommands: { linux: string; windows: string };
  mayName: boolean;
  /** A command for that name is still open. */
  mayReplace?: boolean;
}

export function AddHostPage(props: AddHostProps) {
  const { frame, values, errors, repositories, announceCommands } = props;
  return (
    <Layout {...frame} title="Add host" current="hosts">
      <div class="narrow">
        <div class="head">
          <div>
            <h1>Add host</h1>
            <p class="lead">You get one command to run on the machine. It is valid for one hour.</p>
          </div>
        </div>
        <form method="post" action="/hosts/new" class="form">
          <Csrf token={frame.csrf} />
          <Problems errors={errors} />
          <JoiningFields
            nameField="hostname"
            name={values.hostname}
            values={values}
            errors={errors}
            repositories={repositories}
            mayName={props.mayName}
          />
          {(values.replace_open || props.mayReplace) && (
            <Checkbox
              name="replace_open"
              label="Withdraw a command for this name that is still open"
              isChecked={values.replace_open}
            />
          )}
          <p class="actions">
            <button type="submit" class="primary">Make the command</button>
            <a class="button" href="/">Cancel</a>
          </p>
        </form>
        <details class="unfold section">
          <summary>Or let the machine announce itself, without a token</summary>
          <div class="nested stack">
            <p class="help">
              Run one of these on the machine. It shows a fingerprint and waits; an admin compares
              it with the one on the dashboard and accepts the machine there.
            </p>
            <Command text={announceCommands.linux} what="the Linux command" />
            <Command text={announceCommands.windows} what="the Windows command" />
          </div>
        </details>
      </div>
    </Layout>
  );
}
