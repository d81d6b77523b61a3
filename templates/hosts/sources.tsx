// What is backed up: the source groups of a host, in words, each with its own Run now.
import type { HookName } from "../../shared/hooks.ts";
import { inWords } from "../../shared/retention.ts";
import { visible } from "../../shared/redact.ts";
import { duration, plural } from "../format.ts";
import { Csrf } from "../parts/csrf.tsx";
import { Empty } from "../parts/empty.tsx";
import type { SourceGroup } from "../../shared/shapes/source_group.ts";
import { LastRun } from "../parts/last_run.tsx";
import { type RefusedRun, RunLimits } from "../parts/limits.tsx";
import { Name } from "../parts/name.tsx";
import { HostFrame, type HostFrameProps } from "./frame.tsx";

export type SourceGroupView =
  & Pick<
    SourceGroup,
    | "id"
    | "name"
    | "includes"
    | "excludes"
    | "iexcludes"
    | "retention"
    | "retry_max"
    | "retry_backoff_seconds"
    | "snapshot_tag"
    | "warnings"
    | "last_run"
  >
  & {
    /** Where each hook that is in force comes from. */
    hooks: { name: HookName; from: "group" | "host" }[];
  };

export interface SourcesProps extends HostFrameProps {
  groups: SourceGroupView[];
  refused?: RefusedRun;
}

export function SourcesPage(props: SourcesProps) {
  const { host, groups, mayRun } = props;
  return (
    <HostFrame {...props} tab="sources">
      {groups.length === 0
        ? (
          <Empty
            title="Nothing is backed up yet"
            action={mayRun
              ? { href: `/hosts/${host.id}/sources/new`, label: "Add source group" }
              : undefined}
          >
            A source group says what to save, what to leave out and how long to keep it.
          </Empty>
        )
        : (
          <>
            <div class="head">
              <p class="muted">
                {plural(groups.length, "source group")}. Each makes snapshots of its own.
              </p>
              {mayRun && (
                <a class="button" href={`/hosts/${host.id}/sources/new`}>Add source group</a>
              )}
            </div>
            {mayRun && host.online && groups.length > 1 && <RunAll {...props} />}
            {groups.map((group) => <Group {...props} group={group} />)}
          </>
        )}
    </HostFrame>
  );
}

function Group(props: SourcesProps & { group: SourceGroupView }) {
  const { host, group, mayRun, frame } = props;
  return (
    <section class="group" id={`group-${group.id}`}>
      <div class="head">
        <h2>
          <Name text={group.name} />
        </h2>
        {mayRun && <a class="button" href={`/hosts/${host.id}/sources/${group.id}`}>Change…</a>}
      </div>
      {group.warnings.map((warning) => (
        <p class="warn">
          <bdi>{visible(warning)}</bdi>
        </p>
      ))}
      <GroupFacts group={group} now={frame.now} />
      {mayRun && <RunForm {...props} />}
    </section>
  );
}

function GroupFacts({ group, now }: { group: SourceGroupView; now: number }) {
  return (
    <dl class="facts">
      {group.snapshot_tag !== group.name && (
        <>
          <dt>Snapshot tag</dt>
          <dd>
            <Name text={group.snapshot_tag} />
          </dd>
        </>
      )}
      <dt>Saves</dt>
      <dd>
        <Paths paths={group.includes} none="nothing yet: it cannot run" />
      </dd>
      <dt>Leaves out</dt>
      <dd>
        <Paths paths={[...group.excludes, ...group.iexcludes]} none="nothing" />
      </dd>
      <dt>Retention</dt>
      <dd>{inWords(group.retention)}</dd>
      <dt>When it fails</dt>
      <dd>
        {group.retry_max === 0
          ? "no second attempt"
          : `tries again up to ${plural(group.retry_max, "time")}, first after ${
            duration(group.retry_backoff_seconds)
          }`}
      </dd>
      {group.hooks.length > 0 && (
        <>
          <dt>Hooks</dt>
          <dd>
            {group.hooks.map(({ name, from }, i) => (
              <>
                {i > 0 && ", "}
                <code>{name}</code>{" "}
                <span class="muted">{from === "group" ? "of its own" : "of the host"}</span>
              </>
            ))}
          </dd>
        </>
      )}
      <dt>Last run</dt>
      <dd>
        <LastRun run={group.last_run} now={now} />
      </dd>
    </dl>
  );
}

function Paths({ paths, none }: { paths: string[]; none: string }) {
  if (paths.length === 0) return <span class="muted">{none}</span>;
  const shown = paths.slice(0, 8);
  return (
    <ul class="paths">
      {shown.map((path) => (
        <li>
          <bdi>{visible(path)}</bdi>
        </li>
      ))}
      {paths.length > shown.length && <li>and {paths.length - shown.length} more</li>}
    </ul>
  );
}

function RunForm({ host, group, frame, refused }: SourcesProps & { group: SourceGroupView }) {
  return (
    <form method="post" action={`/hosts/${host.id}/sources/run`} class="limit">
      <Csrf token={frame.csrf} />
      <input type="hidden" name="kind" value="backup" />
      <input type="hidden" name="source_group_id" value={group.id} />
      <div class="actions">
        <button type="submit" disabled={!host.online || group.includes.length === 0}>
          Run now
        </button>
        {!host.online && <span class="muted small">The host is offline.</span>}
      </div>
      {host.online && group.includes.length > 0 && (
        <RunLimits
          what={group.id}
          refused={refused}
        />
      )}
    </form>
  );
}

/** All groups at once; one alone has its own button. */
function RunAll({ host, frame, refused }: SourcesProps) {
  return (
    <form method="post" action={`/hosts/${host.id}/sources/run`} class="limit">
      <Csrf token={frame.csrf} />
      <input type="hidden" name="kind" value="backup" />
      <div class="actions">
        <button type="submit">Run all groups now</button>
      </div>
      <RunLimits what="all" refused={refused} />
    </form>
  );
}
