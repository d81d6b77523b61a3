// The page of a search for files: it begins one, shows what is found as it comes, and finds it again for its person.
import { type FindForm, FindPage, findQuery } from "../../../templates/find/page.tsx";
import { FindResults, type FindResultsProps } from "../../../templates/find/results.tsx";
import { AppError } from "../../errors.ts";
import type { Server } from "../../server.ts";
import type { Search } from "../../snapshots/search.ts";
import { searchScope } from "../../snapshots/search_targets.ts";
import { startSearch } from "../../snapshots/searches.ts";
import { type FoundVersions, versionsOf } from "../../snapshots/versions.ts";
import { readSearch } from "../api/find.ts";
import { actorOf, type Ctx, type Route, userOf } from "../context.ts";
import { watching } from "../live.ts";
import { fragmentBytes } from "../sse.ts";
import { readForm } from "./form.ts";
import { frameFragments } from "./live_frame.ts";
import { frameOf, goTo, isAdmin, show } from "./page.ts";

export const findPageRoutes: Route[] = [
  { method: "GET", path: "/find", role: "operator", handler: page },
  { method: "POST", path: "/find", role: "operator", handler: act },
  { method: "GET", path: "/live/find", role: "operator", handler: live },
];

/** Bytes of all rows of a page, about; of a file, and of one of its versions. */
const ROWS_BYTES = 40_000;
const FILE_BYTES = 500;
const VERSION_BYTES = 900;
const VERSION_BYTES_WITH_LINKS = 1500;
const FILES = 40;
const VERSIONS = 6;

async function page(server: Server, c: Ctx): Promise<Response> {
  const form = formOf(c);
  const { search, error, status } = await searchOf(server, c, form);
  const props = {
    frame: await frameOf(server, c),
    form,
    scope: await searchScope(server, form),
    ...(error === undefined ? {} : { error }),
    results: search ? resultsOf(server, c, search) : null,
  };
  return show(c, FindPage(props), status);
}

/** As typed; a person mostly knows a part of a name. */
function formOf(c: Ctx): FindForm {
  const text = (name: string) => c.req.query(name) ?? "";
  return {
    pattern: text("pattern"),
    mode: text("mode") || "part",
    case: text("case") || "ignore",
    host: text("host"),
    repository: text("repository"),
    newer: text("newer"),
    older: text("older"),
    min_size: text("min_size"),
    max_size: text("max_size"),
  };
}

async function searchOf(server: Server, c: Ctx, form: FindForm) {
  if (form.pattern === "") return { status: 200 };
  try {
    const input = readSearch({ ...form });
    const kept = server.searches.find(userOf(c).id, input);
    if (kept) server.searches.look(kept);
    return { search: kept ?? await startSearch(server, actorOf(c), input), status: 200 };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { error: error.message, status: error.status };
  }
}

function resultsOf(server: Server, c: Ctx, search: Search): FindResultsProps {
  const all = versionsOf(search);
  const mayDownload = isAdmin(c) && server.settings.downloads.allowed;
  return {
    state: search.state,
    ended: search.ended ?? null,
    files: fitting(all, mayDownload).map(({ versions, ...file }) => ({
      ...file,
      versions: versions.slice(0, VERSIONS),
      more: Math.max(0, versions.length - VERSIONS),
    })),
    total: all.length,
    mayDownload,
    isOfHost: search.input.host !== undefined,
  };
}

/** As many as fit into a page. */
function fitting(all: FoundVersions[], hasLinks: boolean): FoundVersions[] {
  let left = ROWS_BYTES;
  const each = hasLinks ? VERSION_BYTES_WITH_LINKS : VERSION_BYTES;
  const end = all.slice(0, FILES).findIndex(({ path, versions }) => {
    const length = encodeURIComponent(path).length * (hasLinks ? 4 : 2);
    left -= FILE_BYTES + Math.min(VERSIONS, versions.length) * (each + length);
    return left < 0;
  });
  return all.slice(0, end < 0 ? FILES : Math.max(1, end));
}

async function act(server: Server, c: Ctx): Promise<Response> {
  const form = formOf(c);
  const isAgain = (await readForm(c)).text("act") === "again";
  const search = server.searches.find(userOf(c).id, readSearch({ ...form }));
  if (search && isAgain) server.searches.forget(search);
  else search?.stop("stopped");
  return goTo(c, `/find${findQuery(form)}`);
}

/** Of a page that searches: shows what is found, and tells it to load itself again at the end. */
function live(server: Server, c: Ctx): Response {
  const input = readSearch({ ...formOf(c) });
  const search = server.searches.find(userOf(c).id, input);
  if (search) server.searches.look(search, c.req.raw.signal);
  return watching(server, c, {
    topics: [...(search ? [`search:${search.id}`] : []), "fleet"],
    note: ({ type }) => type === "search" || type === "host" || type === "notice",
    show: async () => {
      if (!search || search.ended) return "reload";
      const found = fragmentBytes(FindResults(resultsOf(server, c, search)));
      return [found, ...await Promise.all(frameFragments(server))];
    },
  });
}
