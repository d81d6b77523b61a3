// Accepting one machine: the fingerprint once more, then what Add host asks for. The dashboard takes `#accept` out of this
// page and unfolds it in place.
import { middleCut } from "../format.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { Csrf } from "../parts/csrf.tsx";
import { type Errors, LinesField, Problems, TextField } from "../parts/field.tsx";
import { Name } from "../parts/name.tsx";
import { StateWord } from "../parts/state.tsx";
import { RepositoryChoice, type RepositoryChoiceValues } from "../repositories/choice.tsx";
import { GeneratedPassword } from "../repositories/page.tsx";
import { Fingerprint, WholeFingerprint } from "./fingerprint.tsx";
import type { PendingHostView } from "./list.tsx";

export interface AcceptProps {
  frame: FrameProps;
  host: PendingHostView;
  values: RepositoryChoiceValues & {
    name: string;
    /** As typed: separated by spaces or commas. */
    tags: string;
    /** As typed: one path a line. */
    initial_paths: string;
  };
  errors: Errors;
  repositories: { id: string; name: string; url: string }[];
}

export function AcceptPage(props: AcceptProps) {
  const { frame } = props;
  return (
    <Layout {...frame} title={`Accept ${props.host.hostname}`} current="hosts">
      <p class="crumbs">
        <a href="/">Hosts</a>
      </p>
      <h1 class="off-screen">Accept a machine</h1>
      <AcceptForm {...props} />
    </Layout>
  );
}

function AcceptForm({ frame, host, values, errors, repositories }: AcceptProps) {
  return (
    <section id="accept" class="accept" aria-labelledby="accept-title">
      <h2 id="accept-title">
        Accept <Name text={middleCut(host.hostname, 60)} />
      </h2>
      <p>Are these the digits that the machine shows? If one differs, it is another machine.</p>
      <p>
        <Fingerprint fingerprint={host.fingerprint} />
      </p>
      <p class="help">
        <WholeFingerprint fingerprint={host.fingerprint} />
      </p>
      {host.hasCollision && (
        <p>
          <StateWord state="warn" word="Another machine has the same name." />
        </p>
      )}
      <form method="post" action={`/pending-hosts/${host.id}/accept`} class="form narrow">
        <Csrf token={frame.csrf} />
        <input type="hidden" name="fingerprint" value={host.fingerprint} />
        <Problems errors={errors} />
        <TextField
          name="name"
          label="Name"
          value={values.name}
          error={errors.name}
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
          <button type="submit" class="primary">Accept host</button>
          <a class="button" href="/">Cancel</a>
        </p>
      </form>
    </section>
  );
}

/** The one answer that shows a password that the server made. */
export function AcceptedPage(
  { frame, host, password }: {
    frame: FrameProps;
    host: { id: string; name: string };
    password: string;
  },
) {
  return (
    <Layout {...frame} title={`${host.name} is accepted`} current="hosts">
      <div class="stack add-done">
        <div>
          <h1>
            <Name text={middleCut(host.name, 60)} /> is accepted
          </h1>
          <p class="lead">It connects by itself; its repository is opened next.</p>
        </div>
        <GeneratedPassword password={password} />
        <p class="actions">
          <a class="button primary" href={`/hosts/${host.id}`}>Open the host</a>
        </p>
      </div>
    </Layout>
  );
}
