// Files over all snapshots of a host, of a repository or of the fleet: the form, and what was found until now.
import { middleCut } from "../format.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { Csrf } from "../parts/csrf.tsx";
import { Name } from "../parts/name.tsx";
import { FindResults, type FindResultsProps } from "./results.tsx";

/** As typed. */
export interface FindForm {
  pattern: string;
  mode: string;
  case: string;
  host: string;
  repository: string;
  newer: string;
  older: string;
  min_size: string;
  max_size: string;
}

export interface FindPageProps {
  frame: FrameProps;
  form: FindForm;
  /** What the host or repository of the form is called here; null where all are searched. */
  scope: { kind: "host" | "repository"; name: string } | null;
  /** Why it was not begun. */
  error?: string;
  results: FindResultsProps | null;
}

export function FindPage(props: FindPageProps) {
  const { frame, form, scope, error, results } = props;
  const isRunning = results !== null && results.ended === null;
  return (
    <Layout
      {...frame}
      title="Find files"
      current="hosts"
      live={isRunning ? `/live/find${findQuery(form)}` : undefined}
      refreshSeconds={isRunning ? 3 : undefined}
    >
      <p class="crumbs">
        <a href="/">Hosts</a>
      </p>
      <div class="head">
        <div>
          <h1>Find files</h1>
          <p class="lead">
            {scope === null ? "In all snapshots of all hosts." : (
              <>
                In all snapshots of the {scope.kind} <Name text={middleCut(scope.name, 60)} />.{" "}
                <a href={`/find${findQuery({ ...form, host: "", repository: "" })}`}>
                  Search all hosts
                </a>
              </>
            )}
          </p>
        </div>
      </div>
      <Form form={form} />
      {error && <p class="problems" role="alert">{error}</p>}
      {results && <FindResults {...results} />}
      {results && <Again form={form} isRunning={isRunning} csrf={frame.csrf} />}
    </Layout>
  );
}

const MODES = [["part", "Name has"], ["name", "Name is"], [
  "pattern",
  "Pattern of * and ?",
]] as const;

function Form({ form }: { form: FindForm }) {
  const number = (name: "min_size" | "max_size", label: string) => (
    <label>
      {label}
      <input type="text" inputmode="numeric" name={name} value={form[name]} maxlength={16} />
    </label>
  );
  return (
    <form class="filters" action="/find" role="search">
      {form.host && <input type="hidden" name="host" value={form.host} />}
      {form.repository && <input type="hidden" name="repository" value={form.repository} />}
      <label>
        How
        <select name="mode">
          {MODES.map(([value, label]) => (
            <option value={value} selected={form.mode === value}>{label}</option>
          ))}
        </select>
      </label>
      <label>
        What
        <input
          type="search"
          name="pattern"
          value={form.pattern}
          required
          maxlength={1000}
          autocomplete="off"
          data-search
        />
      </label>
      <label>
        Letters
        <select name="case">
          <option value="ignore" selected={form.case !== "exact"}>upper or lower</option>
          <option value="exact" selected={form.case === "exact"}>as typed</option>
        </select>
      </label>
      <label>
        Modified from <input type="date" name="newer" value={form.newer} />
      </label>
      <label>
        to <input type="date" name="older" value={form.older} />
      </label>
      {number("min_size", "Bytes, least")}
      {number("max_size", "Bytes, most")}
      <button type="submit" class="primary">Find</button>
    </form>
  );
}

function Again(
  { form, isRunning, csrf }: { form: FindForm; isRunning: boolean; csrf: string },
) {
  return (
    <form method="post" action={`/find${findQuery(form)}`} class="section row">
      <Csrf token={csrf} />
      <button type="submit" name="act" value={isRunning ? "stop" : "again"} class="slim">
        {isRunning ? "Stop the search" : "Search again"}
      </button>
    </form>
  );
}

/** The address of a search. */
export function findQuery(form: Partial<FindForm>): string {
  const given = Object.entries(form).filter(([, value]) => value !== "");
  return given.length > 0 ? `?${new URLSearchParams(Object.fromEntries(given))}` : "";
}

/** The field that leads to a search of this host or repository. */
export function FindField({ host, repository }: { host?: string; repository?: string }) {
  return (
    <form class="filters" action="/find" role="search">
      {host && <input type="hidden" name="host" value={host} />}
      {repository && <input type="hidden" name="repository" value={repository} />}
      <label>
        Find a file in {host ? "its snapshots" : "these snapshots"}
        <input type="search" name="pattern" required maxlength={1000} autocomplete="off" />
      </label>
      <button type="submit">Find</button>
    </form>
  );
}
