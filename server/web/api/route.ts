// What a route of the JSON API says of itself, and how what its handler returns becomes the response.
import { z } from "zod";
import type { Ctx, Route } from "../context.ts";
import type { Server } from "../../server.ts";

/** A body that is not JSON: the handler makes the whole response. */
export interface RawBody {
  /** Its media type. */
  type: string;
  description: string;
}

/** What is returned with a success status: JSON as the schema says, or another body. */
export type Answer = z.ZodType | RawBody;

const WITH_JSON = [200, 201, 202] as const;

/** By status, all but the errors that app.ts makes of what is thrown; null is no body. */
export type Answers =
  & { [S in typeof WITH_JSON[number]]?: Answer }
  & { 204?: null; 206?: RawBody; 304?: null; 416?: null; 503?: RawBody };

type BodyOf<A> = A extends z.ZodType ? z.input<A> : A extends RawBody ? Response : void;
type Returned<R extends Answers> = { [S in keyof R]: BodyOf<R[S]> }[keyof R];

interface Described {
  summary: string;
  body?: z.ZodType;
  query?: string[];
}

export interface ApiRoute extends Route, Described {
  response: Answers;
}

interface TypedRoute<R extends Answers> extends Omit<Route, "handler">, Described {
  response: R;
  handler: (server: Server, c: Ctx) => Returned<R> | Promise<Returned<R>>;
}

/**
 * A row of the API's table. The compiler holds what the handler returns against the schemas; in production nothing is looked at
 * again, and the tests' server looks at every response. Throws when two statuses come with JSON: which one is meant is known by
 * whether something is returned.
 */
export function apiRoute<R extends Answers>({ handler, ...row }: TypedRoute<R>): ApiRoute {
  const withJson = WITH_JSON.filter((status) => row.response[status] instanceof z.ZodType);
  if (withJson.length > 1) throw new Error(`${row.method} ${row.path} has two kinds of JSON.`);
  const toResponse = (c: Ctx, returned: Returned<R>) => {
    if (returned instanceof Response) return returned;
    if (returned === undefined) return c.body(null, 204);
    return c.body(JSON.stringify(returned), withJson[0], { "Content-Type": "application/json" });
  };
  return { ...row, handler: async (server, c) => toResponse(c, await handler(server, c)) };
}
