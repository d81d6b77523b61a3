// Bodies and queries, read by a schema: the first problem becomes an AppError that names the field.
import { z } from "zod";
import { firstProblem, id } from "../../shared/fields.ts";
import { AppError } from "../errors.ts";
import type { PageInput } from "../paging.ts";
import type { Ctx } from "./context.ts";
import { isJson } from "./security.ts";

/** The JSON body as the schema reads it. Throws bad_request when it is not JSON, invalid when a field is wrong. */
export async function readJson<S extends z.ZodType>(c: Ctx, schema: S): Promise<z.output<S>> {
  if (!isJson(c)) {
    throw new AppError(
      "bad_request",
      "The body must be JSON, with Content-Type: application/json.",
    );
  }
  let value: unknown;
  try {
    value = await c.req.json();
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new AppError("bad_request", "The body is not valid JSON.");
    }
    throw error;
  }
  return parse(schema, value);
}

/** Throws invalid with the first problem. */
export function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const lost = vanishing(value);
  if (lost) throw new AppError("invalid", `${lost} is not a name that is accepted.`, lost);
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const problem = firstProblem(result.error, schema);
  throw new AppError("invalid", problem.message, problem.field);
}

/** Where a name stands that readers leave out without a word, and with it what was given under that name. */
function vanishing(value: unknown): string | undefined {
  const open: [value: unknown, path: string][] = [[value, ""]];
  for (let each = open.pop(); each; each = open.pop()) {
    const [inside, path] = each;
    if (typeof inside !== "object" || inside === null) continue;
    for (const [key, child] of Object.entries(inside)) {
      const at = path ? `${path}.${key}` : key;
      if (key === "__proto__") return at;
      open.push([child, at]);
    }
  }
  return undefined;
}

/** The query as the schema reads it. Throws invalid. */
export function readQuery<S extends z.ZodType>(c: Ctx, schema: S): z.output<S> {
  return parse(schema, c.req.query());
}

/** An id in the path. What cannot be an id names nothing: throws not_found. */
export function pathId(c: Ctx, name: string): string {
  const result = id.safeParse(c.req.param(name));
  if (!result.success) throw new AppError("not_found", "There is nothing under this address.");
  return result.data;
}

const limit = z.coerce.number("must be a number from 1 to 500").int("must be a whole number")
  .min(1, "must be from 1 to 500").max(500, "must be from 1 to 500");

/** ?limit= (default 50, at most 500) and ?cursor=. */
export function readPage(c: Ctx, most = 500): PageInput {
  const given = c.req.query("limit");
  return {
    limit: given === undefined
      ? 50
      : Math.min(parse(z.object({ limit }), { limit: given }).limit, most),
    cursor: c.req.query("cursor") || null,
  };
}

/** A time in a query: ISO 8601. Throws invalid. */
export function readTime(c: Ctx, name: string): number | undefined {
  return timeOf(name, c.req.query(name));
}

/** The end of a span of times: a date alone includes that day. Throws invalid. */
export function readEndTime(c: Ctx, name: string): number | undefined {
  return endTimeOf(name, c.req.query(name));
}

/** As readTime(), of a text that was given under this name. */
export function timeOf(name: string, text: string | undefined): number | undefined {
  if (!text) return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at)) {
    throw new AppError(
      "invalid",
      `${name} must be a time such as 2026-11-22 or 2026-11-22T03:00:00Z.`,
      name,
    );
  }
  return at;
}

/** As readEndTime(). */
export function endTimeOf(name: string, text: string | undefined): number | undefined {
  const at = timeOf(name, text);
  return at !== undefined && /^\d{4}-\d\d-\d\d$/.test(text ?? "") ? at + 86_399_999 : at;
}

/** One of a list, or absent. Throws invalid. */
export function readOneOf<T extends string>(
  c: Ctx,
  name: string,
  values: readonly T[],
): T | undefined {
  const text = c.req.query(name);
  if (!text) return undefined;
  const found = values.find((value) => value === text);
  if (!found) throw new AppError("invalid", `${name} must be one of ${values.join(", ")}.`, name);
  return found;
}
