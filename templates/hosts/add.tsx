// Add host: what the server must know before a machine joins by a one-time command.
import { FormPage } from "../parts/form_page.tsx";
import type { OfferedRepository } from "../repositories/options.ts";
import type { FrameProps } from "../layout.tsx";
import { Command } from "../parts/copyable.tsx";
import { Checkbox, type Errors } from "../parts/field.tsx";
import { JoiningFields, type JoiningValues } from "./joining_fields.tsx";

export interface AddHostProps {
  frame: FrameProps;
  values: JoiningValues & { hostname: string; replace_open: boolean };
  /** Named like the inputs: hostname, tags, initial_paths, repository_id, repository.url … */
  errors: Errors;
  repositories: OfferedRepository[];
  /** For machines that announce themselves. */
  announceCommands: { linux: string; windows: string };
  mayName: boolean;
  /** A command for that name is still open. */
  mayReplace?: boolean;
}

export function AddHostPage(props: AddHostProps) {
  const { frame, values, errors, repositories, announceCommands } = props;
  return (
    <FormPage
      frame={frame}
      title="Add host"
      current="hosts"
      heading="Add host"
      lead="You get one command to run on the machine. It is valid for one hour."
      to="/hosts/new"
      button="Make the command"
      cancelTo="/"
      errors={errors}
      after={<AnnounceInstead commands={announceCommands} />}
    >
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
    </FormPage>
  );
}

function AnnounceInstead({ commands }: { commands: AddHostProps["announceCommands"] }) {
  return (
    <details class="unfold section">
      <summary>Or let the machine announce itself, without a token</summary>
      <div class="nested stack">
        <p class="help">
          Run one of these on the machine. It shows a fingerprint and waits; an admin compares it
          with the one on the dashboard and accepts the machine there.
        </p>
        <Command text={commands.linux} what="the Linux command" />
        <Command text={commands.windows} what="the Windows command" />
      </div>
    </details>
  );
}
