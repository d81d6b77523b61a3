// What is wrong with an answer of the JSON API: a status that its route does not declare, a body that is not as the schema says.
import { z } from "zod";
import { ApiError } from "../../shared/shapes/error.ts";
import type { Answer } from "../../server/web/api/route.ts";
import { API_ROUTES } from "../../server/web/api/routes.ts";

const PATHS = API_ROUTES.map((route) => ({
  route,
  pattern: new RegExp(`^${route.path.replaceAll(".", "\\.").replaceAll(/:\w+/g, "[^/]+")}$`),
}));

/** undefined for a right one, and for what is not below /api/. The response can still be read. */
export async function faultOf(request: Request, response: Response): Promise<string | undefined> {
  const { pathname } = new URL(request.url);
  if (!pathname.startsWith("/api/")) return undefined;
  const fault = await withStatus(request.method, pathname, response);
  return fault && `${request.method} ${pathname}: ${fault}`;
}

async function withStatus(
  method: string,
  pathname: string,
  response: Response,
): Promise<string | undefined> {
  const { status } = response;
  // The same without its body.
  if (method === "HEAD") return undefined;
  // Its body is broken off on purpose: see thenCutOff() of web/whole_body.ts.
  if (status === 408) return undefined;
  if (status >= 400) return await withBody(ApiError, response);
  const found = PATHS.find(({ route, pattern }) =>
    route.method === method && pattern.test(pathname)
  );
  if (!found) return `answers ${status}, and the API has no such route`;
  const answer = Object.entries(found.route.response).find(([each]) => Number(each) === status);
  if (!answer) return `the route does not declare the status ${status}`;
  if (answer[1] !== null) return await withBody(answer[1], response);
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
