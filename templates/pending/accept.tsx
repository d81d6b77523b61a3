// Accepting one machine: the fingerprint once more, then what Add host asks for. The dashboard takes `#accept` out of this
// page and unfolds it in place.
import type { Child } from "hono/jsx";
import { middleCut } from "../format.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { Csrf } from "../parts/csrf.tsx";
import type { OfferedRepository } from "../repositories/options.ts";
import { JoiningFields, type JoiningValues } from "../hosts/joining_fields.tsx";
import { Checkbox, type Errors, Problems, SelectField } from "../parts/field.tsx";
import { Name } from "../parts/name.tsx";
import { GeneratedPassword } from "../repositories/page.tsx";
import { Fingerprint, WholeFingerprint } from "./fingerprint.tsx";
import { type PendingHostView, Warnings } from "./list.tsx";

export interface AcceptProps {
  frame: FrameProps;
  host: PendingHostView;
  values: JoiningValues & { name: string; join_as: "new" | "existing"; host_id: string };
  errors: Errors;
  /** Hosts whose agent is away, one of which this machine may be after it was reinstalled. */
  awayHosts: { id: string; name: string }[];
  repositories: OfferedRepository[];
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

function AcceptForm(props: AcceptProps) {
  const { frame, host, values, errors, awayHosts, repositories } = props;
  const fields = (
    <JoiningFields
      nameField="name"
      name={values.name}
      values={values}
      errors={errors}
      repositories={repositories}
      mayName
    />
  );
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
      <div class="pending-state">
        <Warnings host={host} />
      </div>
      <form method="post" action={`/pending-hosts/${host.id}/accept`} class="form narrow">
        <Csrf token={frame.csrf} />
        <input type="hidden" name="fingerprint" value={host.fingerprint} />
        <input type="hidden" name="revision" value={String(host.revision)} />
        <Problems errors={errors} />
        {awayHosts.length === 0 ? fields : <JoinAs {...props}>{fields}</JoinAs>}
        <p class="actions">
          <button type="submit" class="primary">Accept host</button>
          <a class="button" href="/">Cancel</a>
        </p>
      </form>
    </section>
  );
}

/** A new host, with its fields, or one whose machine this is. */
function JoinAs({ values, errors, awayHosts, children }: AcceptProps & { children: Child }) {
  const isNew = values.join_as === "new";
  return (
    <fieldset class="part">
      <legend>This machine is</legend>
      <div class="part-in choice-group">
        <Checkbox
          type="radio"
          name="join_as"
          value="existing"
          label="A host that is here, reinstalled"
          isChecked={!isNew}
        />
        <div class="if-existing">
          <SelectField
            name="host_id"
            label="Which one"
            value={values.host_id}
            error={errors.host_id}
            options={awayHosts.map(({ id, name }) => ({ value: id, label: name }))}
            help="Hosts whose agent is away, at most 20; another one's Settings page has a command for its machine. It keeps its source groups, repository and snapshots; its schedules are paused and its retention is on hold until you say that its data is restored."
          />
        </div>
        <Checkbox
          type="radio"
          name="join_as"
          value="new"
          label="A new host"
          isChecked={isNew}
        />
        <div class="if-new part-in">{children}</div>
      </div>
    </fieldset>
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
