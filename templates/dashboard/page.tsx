// Am I safe, and if not, what do I do now? The worst first, in words; then every host.
import type { Child } from "hono/jsx";
import { linesOf, messagesOf } from "../../shared/problem_words.ts";
import type { Problem } from "../../shared/problems.ts";
import type { FleetSummary } from "../../shared/shapes/host.ts";
import { type Fleet, fleetInWords, type FrameProps, Layout } from "../layout.tsx";
import { count, inASentence, middleCut, plural } from "../format.ts";
import { PostButton } from "../parts/csrf.tsx";
import { Choice } from "../parts/choice.tsx";
import { Empty } from "../parts/empty.tsx";
import { Name, titleOf } from "../parts/name.tsx";
import { Pager } from "../parts/pager.tsx";
import { Pending, type PendingProps } from "../pending/list.tsx";
import { Dot } from "../parts/state.tsx";
import { Time } from "../parts/time.tsx";
import { HostRow, type HostRowData } from "./host_row.tsx";

/** What a host needs someone for. */
export type AttentionItem =
  & Pick<FleetSummary["worst"][number], "id" | "name" | "state" | "job_id">
  & {
    /** The worst first. */
    problems: Problem[];
  };

export const HOST_STATES = ["all", "attention", "ok", "running", "offline"] as const;
export const HOST_SORTS = ["worst", "name", "last_backup"] as const;

export interface HostFilter {
  q: string;
  state: string;
  tag: string;
  sort: string;
}

export interface DashboardProps {
  frame: FrameProps;
  /** The first few, the worst first; `frame.fleet.attention` counts all of them. */
  attention: AttentionItem[];
  /** The host whose last backup is the longest ago, when all is well. */
  oldest: FleetSummary["oldest"];
  /** Machines that wait for approval; null for who may not see them. */
  pending: PendingProps | null;
  hosts: HostRowData[];
  /** How many hosts the filter lets through. */
  matching: number;
  /** From 1; 36 hosts each. */
  page: number;
  pages: number;
  tags: string[];
  filter: HostFilter;
  mayRun: boolean;
  mayAdd: boolean;
}

export function DashboardPage(props: DashboardProps) {
  const { frame, mayAdd, pending } = props;
  const approval = pending && (
    <>
      <Pending {...pending} />
      <div id="accept-place"></div>
    </>
  );
  return (
    <Layout
      {...frame}
      title={fleetInWords(frame.fleet).replace(/\.$/, "")}
      current="hosts"
      live={`/live/dashboard${query(props.filter, props.page)}`}
      refreshSeconds={60}
    >
      {frame.fleet.total === 0 ? <FirstHost mayAdd={mayAdd}>{approval}</FirstHost> : (
        <>
          <Attention
            fleet={frame.fleet}
            items={props.attention}
            oldest={props.oldest}
            now={frame.now}
            mayRun={props.mayRun}
          />
          {approval}
          <section class="section" aria-labelledby="hosts-title">
            <div class="head">
              <h2 id="hosts-title">
                Hosts <HostCount total={frame.fleet.total} />
              </h2>
              {mayAdd && <a class="button primary" href="/hosts/new">Add host</a>}
            </div>
            <Filters filter={props.filter} tags={props.tags} />
            <HostList {...props} total={frame.fleet.total} now={frame.now} />
          </section>
        </>
      )}
    </Layout>
  );
}

function FirstHost({ mayAdd, children }: { mayAdd: boolean; children?: Child }) {
  return (
    <>
      <h1>No hosts yet</h1>
      {children}
      <Empty
        title="Add the first machine to back up"
        action={mayAdd ? { href: "/hosts/new", label: "Add host" } : undefined}
      >
        {mayAdd
          ? "Give it a name, a repository and the folders to save. You get one command to run on the machine; it appears here by itself as soon as it has joined, and its first backup is one click away. Or start the agent there with nothing but the address of this server: the machine then waits here until you accept it."
          : "An operator adds machines. They appear here by themselves as soon as they have joined."}
      </Empty>
    </>
  );
}

/** Live fragment `attention`: the first sentence and the hosts behind it. */
export function Attention(
  { fleet, items, oldest, now, mayRun }: {
    fleet: Fleet;
    items: AttentionItem[];
    oldest: DashboardProps["oldest"];
    now: number;
    mayRun: boolean;
  },
) {
  const more = fleet.attention - items.length;
  return (
    <section id="attention" data-shifts aria-label="What needs you">
      <div class="head">
        <h1 class="verdict">
          {fleetInWords(fleet)}
          {fleet.attention === 0 && oldest && fleet.total > 1 && (
            <span class="muted">
              Oldest: <Name text={oldest.name} />, <Time at={oldest.last_success_at} now={now} />.
            </span>
          )}
        </h1>
      </div>
      {items.length > 0 && (
        <ul class="attention">
          {items.map((item) => <AttentionRow item={item} mayRun={mayRun} />)}
        </ul>
      )}
      {items.length > 0 && more > 0 && (
        <p class="small">
          <a href="/?state=attention">{plural(more, "more host needs", "more hosts need")} you</a>
        </p>
      )}
    </section>
  );
}

/** What restic said may be long; the job has all of it. */
const SENTENCE_LIMIT = 240;

/** A state and its cause: each has a place of its own in the row. */
function wordsOf(problems: Problem[]): { state: string; cause: string } {
  const [first, ...more] = linesOf(problems);
  if (!first) return { state: "", cause: "" };
  if (more.length === 0) {
    return { state: inASentence([first.what]), cause: inASentence([first.cause ?? ""]) };
  }
  const [state, ...others] = messagesOf(problems);
  return { state: inASentence([state!]), cause: inASentence(others) };
}

/** A button of its own besides the link to the host: POST to `to`, with kind=`kind` where there is one. */
function actOf(
  { id, problems }: AttentionItem,
): { label: string; to: string; kind?: string } | undefined {
  if (problems.some(({ code }) => code === "on_hold")) {
    return { label: "Restored, go on", to: `/hosts/${id}/resume` };
  }
  const isLocked = problems.some(({ params }) =>
    "reason_code" in params && params.reason_code === "locked"
  );
  return isLocked ? { label: "Unlock", to: `/hosts/${id}/jobs`, kind: "unlock" } : undefined;
}

function AttentionRow({ item, mayRun }: { item: AttentionItem; mayRun: boolean }) {
  const { state, cause } = wordsOf(item.problems);
  const act = actOf(item);
  return (
    <li>
      <span class="who state">
        <Dot state={item.state} />
        <a href={`/hosts/${item.id}`} title={titleOf(item.name)}>
          <Name text={middleCut(item.name, 60)} />
        </a>
      </span>
      <p>
        <Name text={middleCut(state, SENTENCE_LIMIT)} />
      </p>
      <p class="muted">{cause && <Name text={middleCut(cause, SENTENCE_LIMIT)} />}</p>
      <span class="actions">
        {act && mayRun && (
          <PostButton
            to={act.to}
            name={act.kind && "kind"}
            value={act.kind}
            label={act.label}
            describe={`${act.label}: ${middleCut(item.name, 60)}`}
          />
        )}
        {item.job_id
          ? <a class="button slim" href={`/jobs/${item.job_id}`}>Open job</a>
          : <a class="button slim" href={`/hosts/${item.id}`}>Open</a>}
      </span>
    </li>
  );
}

function Filters({ filter, tags }: { filter: HostFilter; tags: string[] }) {
  return (
    <form
      class="filters"
      action="/"
      role="search"
      hx-get="/"
      hx-target="#hosts"
      hx-select="#hosts"
      hx-swap="outerHTML"
      hx-push-url="true"
      hx-trigger="input changed delay:200ms from:#q, change, submit"
    >
      <input
        id="q"
        type="search"
        name="q"
        value={filter.q}
        placeholder="Search hosts  /"
        aria-label="Search hosts"
        autocomplete="off"
        data-search
      />
      <Choice
        name="state"
        label="State"
        value={filter.state}
        options={[["all", "all"], ["attention", "needs you"], ["ok", "ok"], [
          "running",
          "running",
        ], ["offline", "offline"]]}
      />
      {tags.length > 0 && (
        <Choice
          name="tag"
          label="Tag"
          value={filter.tag}
          options={[["", "all"], ...tags.map((tag): [string, string] => [tag, middleCut(tag, 40)])]}
        />
      )}
      <Choice
        name="sort"
        label="Sort"
        value={filter.sort}
        options={[["worst", "worst first"], ["name", "name"], ["last_backup", "newest backup"]]}
      />
      <button type="submit" class="no-scripts">Show</button>
    </form>
  );
}

/** Live fragment `host-count`. */
export function HostCount({ total }: { total: number }) {
  return <span id="host-count" class="muted">{count(total)}</span>;
}

export interface HostListProps
  extends Pick<DashboardProps, "hosts" | "filter" | "page" | "pages" | "matching" | "mayRun"> {
  /** Of the whole fleet. */
  total: number;
  now: number;
}

/** Live fragment `hosts`, pushed when hosts came or went; otherwise their rows alone. */
export function HostList(props: HostListProps) {
  const { hosts, filter, page, pages, matching, total, now } = props;
  return (
    <div id="hosts" data-shifts>
      {hosts.length === 0
        ? (
          <Empty title="No host matches" action={{ href: "/", label: "Show all hosts" }}>
            Search looks at names, tags and operating systems.
          </Empty>
        )
        : (
          <table class="table fixed fold hosts">
            <thead>
              <tr>
                <th class="h-name" scope="col">Name</th>
                <th class="h-os" scope="col">OS</th>
                <th class="h-last" scope="col">Last backup</th>
                <th class="h-strip wide" scope="col">Last 30 days</th>
                <th class="h-size num wide" scope="col">Size</th>
                <th class="h-snaps num wide" scope="col">Snapshots</th>
                <th class="h-when" scope="col">Schedule (UTC)</th>
                <th class="h-act" scope="col">
                  <span class="off-screen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {hosts.map((host) => <HostRow host={host} now={now} mayRun={props.mayRun} />)}
            </tbody>
          </table>
        )}
      <Pager
        words={pages > 1
          ? `${plural(matching, "host")}, page ${page} of ${pages}`
          : matching < total && hosts.length > 0
          ? `${count(matching)} of ${plural(total, "host")}`
          : undefined}
        previous={page > 1 ? `/${query(filter, page - 1)}` : undefined}
        next={page < pages ? `/${query(filter, page + 1)}` : undefined}
      />
    </div>
  );
}

function query(filter: HostFilter, page: number): string {
  const all = new URLSearchParams();
  if (filter.q) all.set("q", filter.q);
  if (filter.state && filter.state !== "all") all.set("state", filter.state);
  if (filter.tag) all.set("tag", filter.tag);
  if (filter.sort && filter.sort !== "worst") all.set("sort", filter.sort);
  if (page > 1) all.set("page", String(page));
  return all.size ? `?${all}` : "";
}
