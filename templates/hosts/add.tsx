// Add host: what the server must know before a machine joins by a one-time command.
import { type FrameProps, Layout } from "../layout.tsx";
import { Csrf } from "../parts/csrf.tsx";
import { type Errors, LinesField, Problems, TextField } from "../parts/field.tsx";
import { RepositoryChoice, type RepositoryChoiceValues } from "../repositories/choice.tsx";

export interface AddHostProps {
  frame: FrameProps;
  values: RepositoryChoiceValues & {
    hostname: string;
    /** As typed: separated by spaces or commas. */
    tags: string;
    /** As typed: one path a line. */
    initial_paths: string;
  };
  /** Named like the inputs: hostname, tags, initial_paths, repository_id, repository.url … */
  errors: Errors;
  repositories: { id: string; name: string; url: string }[];
}

export function AddHostPage({ frame, values, errors, repositories }: AddHostProps) {
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
          <TextField
            name="hostname"
            label="Name"
            value={values.hostname}
            error={errors.hostname}
            help="Letters, digits, dots, dashes and underscores. Its snapshots carry this name."
            isRequired
            hasFocus
          />
          <TextField
            name="tags"
            label="Tags"
            value={values.tags}
            error={errors.tags}
            isOptional
            help="To find and filter it, for example: berlin database."
          />
          <LinesField
            name="initial_paths"
            label="What to back up"
            value={values.initial_paths}
            error={errors.initial_paths}
            isOptional
            help="One folder or file a line, for example /etc or C:\Users. More groups and exclusions can come later."
          />
          <RepositoryChoice values={values} errors={errors} repositories={repositories} />
          <p class="actions">
            <button type="submit" class="primary">Make the command</button>
            <a class="button" href="/">Cancel</a>
          </p>
        </form>
      </div>
    </Layout>
  );
}
