// The repository as this host sees it: is it open, how is it reached, what can be done to it.
import type { ApiLimits, BandwidthWindow } from "../../shared/bandwidth.ts";
import { visible } from "../../shared/redact.ts";
import { plural } from "../format.ts";
import { DangerZone } from "../parts/confirm.tsx";
import { Csrf, PostButton } from "../parts/csrf.tsx";
import { type Errors, Problems, SelectField, TextField } from "../parts/field.tsx";
import type { FormValues } from "../parts/form_values.ts";
import { Name } from "../parts/name.tsx";
import { RepositoryFacts, type RepositoryView } from "../repositories/page.tsx";
import { type HookField, HookFields, HookWarning, StopAtError } from "./hooks.tsx";
import { HostFrame, type HostFrameProps, RepositoryLine } from "./frame.tsx";

/** `days`: mon,tue,… or blank: not used. */
export type WindowValues = FormValues<BandwidthWindow>;

export interface HostRepositoryProps extends HostFrameProps {
  repository: RepositoryView;
  /** As typed or as they are; blank for none. */
  limits: FormValues<ApiLimits>;
  /** The same by the hour, with a blank one at the end. */
  windows: WindowValues[];
  limitErrors: Errors;
  /** The default hooks. */
  hooks: HookField[];
  hookErrors: Errors;
  hook_stop_at_error_default: boolean;
  isAdmin: boolean;
  /** The name as typed. */
  reinitName: string;
  reinitErrors: Errors;
}

export function HostRepositoryPage(props: HostRepositoryProps) {
  const { host, repository, mayRun, frame } = props;
  const others = repository.hosts.filter(({ id }) => id !== host.id);
  const more = repository.hostCount - 1 - Math.min(5, others.length);
  return (
    <HostFrame {...props} tab="repository">
      <div class="head">
        <h2>
          <a href={`/repositories/${repository.id}`}>
            <Name text={repository.name} />
          </a>
        </h2>
        {mayRun && <a class="button" href={`/repositories/${repository.id}/edit`}>Change…</a>}
      </div>
      <HostRepositoryState {...props} now={frame.now} />
      <RepositoryFacts repository={repository} now={frame.now} />
      <p class="section muted">
        {others.length === 0 ? "No other host uses it." : (
          <>
            Shared with {others.slice(0, 5).map((other, i) => (
              <>
                {i > 0 && ", "}
                <a href={`/hosts/${other.id}`}>
                  <Name text={other.name} />
                </a>
              </>
            ))}
            {more > 0 && ` and ${plural(more, "more host")}`}.
          </>
        )}
      </p>
      {mayRun && <Actions {...props} />}
      {mayRun && <Bandwidth {...props} />}
      {mayRun && <DefaultHooks {...props} />}
      {props.isAdmin && <Reinitialise {...props} />}
    </HostFrame>
  );
}

function Bandwidth(props: HostRepositoryProps) {
  const { frame, host, limits, limitErrors } = props;
  return (
    <section class="section">
      <h2>Bandwidth</h2>
      <form
        method="post"
        action={`/hosts/${host.id}/bandwidth#bandwidth`}
        id="bandwidth"
        class="form narrow"
      >
        <Csrf token={frame.csrf} />
        <Problems errors={limitErrors} />
        <div class="row">
          <TextField
            name="bandwidth_up_kbps"
            label="Up, KiB/s"
            type="number"
            min={0}
            value={limits.bandwidth_up_kbps}
            error={limitErrors.bandwidth_up_kbps}
            help="Blank: no limit."
          />
          <TextField
            name="bandwidth_down_kbps"
            label="Down, KiB/s"
            type="number"
            min={0}
            value={limits.bandwidth_down_kbps}
            error={limitErrors.bandwidth_down_kbps}
          />
        </div>
        <p class="help">For every run of this host, also those of its schedules.</p>
        <Windows {...props} />
        <p>
          <button type="submit">Save limits</button>
        </p>
      </form>
    </section>
  );
}

const DAY_CHOICES = [
  { value: "", label: "not used" },
  { value: "mon,tue,wed,thu,fri,sat,sun", label: "every day" },
  { value: "mon,tue,wed,thu,fri", label: "Monday to Friday" },
  { value: "sat,sun", label: "Saturday and Sunday" },
  { value: "mon", label: "Mondays" },
  { value: "tue", label: "Tuesdays" },
  { value: "wed", label: "Wednesdays" },
  { value: "thu", label: "Thursdays" },
  { value: "fri", label: "Fridays" },
  { value: "sat", label: "Saturdays" },
  { value: "sun", label: "Sundays" },
];

/** Each row is a window; saving with the last one filled in makes room for another. */
function Windows({ windows, limitErrors, host }: HostRepositoryProps) {
  const hasSome = windows.length > 1;
  const hasErrors = Object.keys(limitErrors).some((field) => field.startsWith("windows"));
  return (
    <details class="unfold" open={hasSome || hasErrors}>
      <summary>Other limits at certain hours</summary>
      <div class="nested stack">
        <p class="help">
          The first row that holds at the start of a run replaces the limits above; blank limits
          lift them. Times in the host's time zone,{" "}
          <bdi>{host.time_zone}</bdi>, as 08:00 to 18:00; one that ends before it begins goes on
          into the next day.
        </p>
        {windows.map((window, n) => <WindowRow n={n} window={window} limitErrors={limitErrors} />)}
      </div>
    </details>
  );
}

function WindowRow(
  { n, window, limitErrors }: { n: number; window: WindowValues; limitErrors: Errors },
) {
  const name = (field: keyof WindowValues) => `windows.${n}.${field}`;
  const isKnown = DAY_CHOICES.some(({ value }) => value === window.days);
  const own = isKnown ? [] : [{ value: window.days, label: window.days.replaceAll(",", ", ") }];
  const text = (field: keyof WindowValues, label: string, placeholder?: string) => (
    <TextField
      name={name(field)}
      label={label}
      value={window[field]}
      error={limitErrors[name(field)]}
      placeholder={placeholder}
    />
  );
  return (
    <div class="hours" role="group" aria-label={`Hours ${n + 1}`}>
      <SelectField
        name={name("days")}
        label="Days"
        value={window.days}
        options={[...DAY_CHOICES, ...own]}
        error={limitErrors[name("days")]}
      />
      {text("from", "From", "08:00")}
      {text("to", "To", "18:00")}
      {text("bandwidth_up_kbps", "Up, KiB/s")}
      {text("bandwidth_down_kbps", "Down, KiB/s")}
    </div>
  );
}

function DefaultHooks(props: HostRepositoryProps) {
  const { frame, host, hooks, hookErrors, isAdmin } = props;
  return (
    <section class="section" id="hooks">
      <h2>Hooks</h2>
      <form method="post" action={`/hosts/${host.id}/hooks#hooks`} class="form narrow">
        <Csrf token={frame.csrf} />
        <Problems errors={hookErrors} />
        <HookWarning os={host.os}>
          For backups of source groups that have none of their own, each hook by itself.
          {!isAdmin && " Only admins change them."}
        </HookWarning>
        <HookFields
          fields={hooks}
          mayEdit={isAdmin}
          tryAt={host.online ? `/hosts/${host.id}/hooks/try` : null}
        />
        <StopAtError
          name="hook_stop_at_error_default"
          os={host.os}
          isChecked={props.hook_stop_at_error_default}
          error={hookErrors.hook_stop_at_error_default}
          isDisabled={!isAdmin}
        />
        {isAdmin && (
          <p>
            <button type="submit">Save hooks</button>
          </p>
        )}
      </form>
    </section>
  );
}

function Reinitialise(props: HostRepositoryProps) {
  const { frame, host, repository, reinitErrors } = props;
  return (
    <DangerZone
      id="reinitialise"
      title="Initialise the repository anew…"
      isOpen={Object.keys(reinitErrors).length > 0}
    >
      <p>
        Makes a new, empty repository at{" "}
        <code>{visible(repository.url)}</code>. Nothing is ever wiped from here: while anything is
        left at that place, the job ends with an error and touches nothing. Clear it by hand first.
      </p>
      <form
        method="post"
        action={`/hosts/${host.id}/repo/reinit#reinitialise`}
        class="form narrow"
      >
        <Csrf token={frame.csrf} />
        <Problems errors={{ "": reinitErrors[""] }} />
        <TextField
          name="confirm_hostname"
          label="Type the name of the host"
          value={props.reinitName}
          error={reinitErrors.confirm_hostname}
          help={
            <>
              It is called{" "}
              <b>
                <Name text={host.name} />
              </b>.
            </>
          }
        />
        <button type="submit" class="danger">Initialise anew</button>
      </form>
    </DangerZone>
  );
}

/** Live fragment `host-repository`. */
export function HostRepositoryState(
  { host, now, mayRun }: Pick<HostRepositoryProps, "host" | "mayRun"> & { now: number },
) {
  return (
    <div id="host-repository" class="repository-state" data-shifts>
      <p>
        From this host: <RepositoryLine host={host} now={now} mayRun={mayRun} />
      </p>
      {host.repository_state === "failed" && host.repositoryReason && (
        <p class="problems">
          <bdi>{visible(host.repositoryReason)}</bdi>
        </p>
      )}
    </div>
  );
}

function Actions({ host }: HostRepositoryProps) {
  const to = `/hosts/${host.id}/jobs`;
  if (!host.online) {
    return <p class="muted small">What follows needs the host online: open, measure, unlock.</p>;
  }
  return (
    <ul class="rows section">
      <li>
        <span>
          Open it again{" "}
          <span class="help">Makes it where it may, opens it, and checks the password.</span>
        </span>
        <PostButton to={to} name="kind" value="init" label="Open repository" />
      </li>
      <li>
        <span>
          Measure its size <span class="help">Only reads; may take minutes for a large one.</span>
        </span>
        <PostButton to={to} name="kind" value="stats" label="Measure size" />
      </li>
      <li>
        <span>
          Remove stale locks{" "}
          <span class="help">
            For runs that ended without cleaning up. Locks of runs that still live are left alone.
          </span>
        </span>
        <PostButton to={to} name="kind" value="unlock" label="Unlock" />
      </li>
    </ul>
  );
}
