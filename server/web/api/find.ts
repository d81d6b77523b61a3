// Files over snapshots, as they are found.
import { z } from "zod";
import { FIND_MODES, FIND_PATTERN_LIMIT } from "../../../shared/find.ts";
import { id } from "../../../shared/fields.ts";
import { TREE_TIMES } from "../../../shared/tree.ts";
import { AppError } from "../../errors.ts";
import type { Server } from "../../server.ts";
import type { Search, SearchInput } from "../../snapshots/search.ts";
import { startSearch } from "../../snapshots/searches.ts";
import { endTimeOf, parse, timeOf } from "../body.ts";
import { actorOf } from "../context.ts";
import { eventStream, type Feed, type Source } from "../sse.ts";
import { type ApiRoute, apiRoute } from "./route.ts";
import { withIsoTimes } from "./shapes.ts";

const CASES = ["exact", "ignore"] as const;
const size = z.coerce.number("must be a whole number of bytes")
  .int("must be a whole number of bytes").min(0, "must be 0 or more")
  .max(Number.MAX_SAFE_INTEGER, "must be less than 9007199254740992").optional();

/** What is looked for; shared by API and page. */
const FindQuery = z.object({
  pattern: z.string("must be given").min(1, "must not be empty")
    .max(FIND_PATTERN_LIMIT, `must have at most ${FIND_PATTERN_LIMIT} characters`)
    .refine(
      (text) => text.isWellFormed() && !text.includes("\0"),
      "must be text without NUL",
    ),
  mode: z.enum(FIND_MODES, `must be one of ${FIND_MODES.join(", ")}`).default("pattern"),
  case: z.enum(CASES, `must be one of ${CASES.join(", ")}`).default("exact"),
  host: z.string().max(255, "must have at most 255 characters").optional(),
  repository: id.optional(),
  min_size: size,
  max_size: size,
});

/** What is blank is not asked. Throws invalid. */
export function readSearch(given: Record<string, string>): SearchInput {
  const filled = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
  const query = parse(FindQuery, filled);
  const { pattern, mode, host, repository } = query;
  return {
    pattern,
    mode,
    ignore_case: query.case === "ignore",
    newer: boundOf("newer", timeOf("newer", filled.newer)),
    older: boundOf("older", endTimeOf("older", filled.older)),
    min_size: query.min_size ?? null,
    max_size: query.max_size ?? null,
    host,
    repository,
  };
}

/** The years that a file's time may have. */
function boundOf(name: string, time: number | undefined): number | null {
  if (time === undefined) return null;
  if (time >= TREE_TIMES.min && time <= TREE_TIMES.max) return time;
  throw new AppError("invalid", `${name} must be in the years 1 to 9999.`, name);
}

export const findRoutes: ApiRoute[] = [
  apiRoute({
    method: "GET",
    path: "/api/find",
    role: "operator",
    summary:
      "Files by name over all snapshots of a host (host=, its id or the host name that they carry), of a repository, or of the fleet, each repository searched by restic on one of its hosts that is online, the newest snapshots first. Server-sent events: `match` for each file and snapshot as it is found, `progress`, then `end`. mode= pattern (by default: * ? and [abc], as restic has them), name (exactly this name, whatever it holds) or part (a part of a name); a name with / is the end of a path. case= exact or ignore; newer= and older= compare when the file was modified, a date the whole day; min_size= and max_size= are bytes of files. Leaving ends the search. At most 2 searches of one person and 5 in all at once, 5000 matches, 2000 snapshots, 20 minutes. Operators find what lies below approved_roots of the hosts whose snapshots they are",
    query: [
      "pattern",
      "mode",
      "case",
      "host",
      "repository",
      "newer",
      "older",
      "min_size",
      "max_size",
    ],
    response: {
      200: {
        type: "text/event-stream",
        description:
          "The data of an event is JSON: for `match` path, exact, type, size, modified_at, snapshot_id, snapshot_at, host, host_id, repository_id; for `progress` and `end` snapshots, searched, matches, cut, not_searched with repository_id, repository, snapshots and why",
      },
    },
    handler: async (server, c) => {
      const input = readSearch(c.req.query());
      const { signal } = c.req.raw;
      // Nobody reads the events of a HEAD.
      if (c.req.method === "HEAD") return eventStream(server, c, () => NOTHING);
      const left = new AbortController();
      signal.addEventListener("abort", () => left.abort(), { once: true });
      if (signal.aborted) left.abort();
      const search = await startSearch(server, actorOf(c), input, left.signal);
      try {
        return eventStream(server, c, (feed) => new FindFeed(server, search, feed, left));
      } catch (error) {
        left.abort();
        throw error;
      }
    },
  }),
];

const NOTHING: Source = { pump: () => {}, stop: () => {} };

/** A reader that is slow is told later, and loses nothing. */
class FindFeed implements Source {
  #sent = 0;
  #isStale = true;
  readonly #unsubscribe: () => void;

  constructor(
    server: Server,
    private readonly search: Search,
    private readonly feed: Feed,
    private readonly left: AbortController,
  ) {
    this.#unsubscribe = server.events.subscribe(`search:${search.id}`, () => {
      this.#isStale = true;
      this.pump();
    });
  }

  pump(): void {
    const { feed, search } = this;
    while (this.#sent < search.matches.length && feed.ready) {
      const match = withIsoTimes(search.matches[this.#sent++]!);
      feed.send({ event: "match", data: JSON.stringify(match) });
    }
    if (this.#sent < search.matches.length || !this.#isStale || !feed.ready) return;
    this.#isStale = false;
    const data = JSON.stringify(search.state);
    feed.send({ event: search.ended ? "end" : "progress", data });
    if (search.ended) feed.close();
  }

  stop(): void {
    this.#unsubscribe();
    this.left.abort();
  }
}
