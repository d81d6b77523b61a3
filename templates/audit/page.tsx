// Who did what to what, when, from where.
import { visible } from "../../shared/redact.ts";
import { middleCut } from "../format.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { Empty } from "../parts/empty.tsx";
import { Name, titleOf } from "../parts/name.tsx";
import { Pager } from "../parts/pager.tsx";
import { Time } from "../parts/time.tsx";
import type { NamedActor } from "../../shared/shapes/actor.ts";
import type { AuditEntry } from "../../shared/shapes/audit_entry.ts";

export interface AuditRow extends Pick<AuditEntry, "at" | "action" | "address" | "detail"> {
  actor: Pick<NamedActor, "kind" | "name">;
  target: { kind: string; name: string | null; href: string | null } | null;
}

export interface AuditFilter {
  actor: string;
  action: string;
  target: string;
  /** Dates, 2026-11-22. */
  from: string;
  to: string;
}

export interface AuditPageProps {
  frame: FrameProps;
  entries: AuditRow[];
  filter: AuditFilter;
  /** What is known to be wrong with the audit itself. */
  fault: { id: number; what: string } | null;
  /** The sentence when a date could not be read. */
  error?: string;
  nextCursor: string | null;
  isFirstPage: boolean;
}

export function AuditPage(props: AuditPageProps) {
  const { frame, entries, filter, nextCursor, isFirstPage } = props;
  return (
    <Layout {...frame} title="Audit" current="audit">
      <div class="head">
        <div>
          <h1>Audit</h1>
          <p class="lead">Every change and every sign-in. Times are UTC.</p>
        </div>
        <a class="button" href={`/api/audit.csv${query(filter)}`} download>Download as CSV</a>
      </div>
      {props.fault && (
        <p class="flash bad" role="alert">
          The audit is not whole: row {props.fault.id} {props.fault.what}. Look on the server with
          {" "}
          <code>restic-manager-server verify-audit</code>.
        </p>
      )}
      <Filters filter={filter} />
      {props.error && <p class="problems" role="alert">{props.error}</p>}
      <div id="entries">
        {entries.length === 0
          ? (
            <Empty title="No entry matches" action={{ href: "/audit", label: "Show all" }}>
              Actor and target are whole names; an action also its beginning, such as job.
            </Empty>
          )
          : <Entries entries={entries} now={frame.now} />}
        <Pager
          previous={isFirstPage ? undefined : `/audit${query(filter)}`}
          previousLabel="Newest"
          next={nextCursor ? `/audit${query(filter, nextCursor)}` : undefined}
          nextLabel="Older"
        />
      </div>
    </Layout>
  );
}

function Filters({ filter }: { filter: AuditFilter }) {
  const text = (name: "actor" | "action" | "target", label: string) => (
    <label>
      {label}
      <input
        type="text"
        name={name}
        value={filter[name]}
        autocomplete="off"
        data-search={name === "actor"}
      />
    </label>
  );
  return (
    <form class="filters" action="/audit" role="search">
      {text("actor", "Actor")}
      {text("action", "Action")}
      {text("target", "Target")}
      <label>
        From <input type="date" name="from" value={filter.from} />
      </label>
      <label>
        To <input type="date" name="to" value={filter.to} />
      </label>
      <button type="submit">Show</button>
    </form>
  );
}

function Entries({ entries, now }: { entries: AuditRow[]; now: number }) {
  return (
    <table class="table fixed fold audit">
      <thead>
        <tr>
          <th class="a-when" scope="col">When</th>
          <th class="a-actor" scope="col">Actor</th>
          <th class="a-action" scope="col">Action</th>
          <th class="a-target" scope="col">Target</th>
          <th scope="col">Detail</th>
          <th class="a-from" scope="col">From</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => <EntryRow entry={entry} now={now} />)}
      </tbody>
    </table>
  );
}

function EntryRow({ entry, now }: { entry: AuditRow; now: number }) {
  const detail = detailInWords(entry.detail);
  return (
    <tr>
      <td class="muted">
        <Time at={entry.at} now={now} />
      </td>
      <td title={titleOf(entry.actor.name)}>
        <Name text={entry.actor.name} />
        {entry.actor.kind !== "user" && <span class="muted">{` (${entry.actor.kind})`}</span>}
      </td>
      <td>
        <code>{visible(entry.action)}</code>
      </td>
      <td title={titleOf(entry.target?.name)}>
        {entry.target && (entry.target.href
          ? (
            <a href={entry.target.href}>
              <Name text={middleCut(entry.target.name ?? entry.target.kind, 80)} />
            </a>
          )
          : <Name text={middleCut(entry.target.name ?? entry.target.kind, 80)} />)}
      </td>
      <td class="side" title={titleOf(detail)}>
        <Name text={middleCut(detail, 160)} />
      </td>
      <td class="muted mono">{entry.address === null ? "" : visible(entry.address)}</td>
    </tr>
  );
}

/** "role operator, name nightly" */
function detailInWords(detail: Record<string, unknown>): string {
  return Object.entries(detail).map(([name, value]) =>
    `${name.replaceAll("_", " ")} ${typeof value === "string" ? value : JSON.stringify(value)}`
  ).join(", ");
}

function query(filter: AuditFilter, cursor?: string): string {
  const all = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value) all.set(name, value);
  if (cursor) all.set("cursor", cursor);
  return all.size ? `?${all}` : "";
}
