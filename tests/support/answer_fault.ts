// What is wrong with an answer of the JSON API: a status that its route does not declare, a body that is not as the schema says.
import { z } from "zod";
import { ApiError } from "../../shared/shapes/error.ts";
import type { Answer, Answers } from "../../server/web/api/route.ts";
import { API_ROUTES } from "../../server/web/api/routes.ts";

const PATHS = API_ROUTES.map((route) => ({
  route,
  pattern: new RegExp(`^${route.path.replaceAll(".", "\\.").replaceAll(/:\w+/g, "[^/]+")}$`),
}));

/** undefined for a right one, and for what is neither of the API's table nor below /api/. The response can still be read. */
export async function faultOf(request: Request, response: Response): Promise<string | undefined> {
  const { method } = request;
  const { pathname } = new URL(request.url);
  const found = PATHS.find(({ route, pattern }) =>
    route.method === method && pattern.test(pathname)
  );
  if (!found && !pathname.startsWith("/api/")) return undefined;
  // HEAD is the same without its body, and 408 is broken off on purpose: see thenCutOff() of web/whole_body.ts.
  if (method === "HEAD" || response.status === 408) return undefined;
  const fault = await faultFor(found?.route.response ?? {}, response);
  return fault && `${method} ${pathname}: ${fault}`;
}

async function faultFor(answers: Answers, response: Response): Promise<string | undefined> {
  const { status } = response;
  const declared = Object.entries(answers).find(([each]) => Number(each) === status);
  if (!declared && status >= 400) return await withBody(ApiError, response);
  if (!declared) return `the status ${status} is not declared`;
  if (declared[1] !== null) return await withBody(declared[1], response);
  return response.body ? `a body comes with ${status}, which is declared without one` : undefined;
}

async function withBody(answer: Answer, response: Response): Promise<string | undefined> {
  const isJson = answer instanceof z.ZodType;
  const expected = isJson ? "application/json" : answer.type;
  const [type] = (response.headers.get("content-type") ?? "").split(";");
  if (type !== expected) return `the Content-Type is ${type} instead of ${expected}`;
  return isJson ? faultIn(answer, await response.clone().json()) : undefined;
}

/** The first field that is not as the schema says, or that it does not name. */
export function faultIn(schema: z.ZodType, value: unknown): string | undefined {
  const { error, data } = schema.safeParse(value);
  if (!error) return unnamed(value, data, "");
  const issue = error.issues[0]!;
  return `${issue.path.join(".") || "the whole"}: ${issue.message}`;
}

/** A schema leaves out what it does not name, at every depth. */
function unnamed(value: unknown, read: unknown, path: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, each] of Object.entries(value)) {
    const at = path ? `${path}.${name}` : name;
    const inside = read as Record<string, unknown>;
    if (!Object.hasOwn(inside, name)) return `${at} is not named by the schema`;
    const fault = unnamed(each, inside[name], at);
    if (fault) return fault;
  }
  return undefined;
}
