// GET /api/openapi.json: made of the route table and its schemas, so that it cannot fall behind.
import { z } from "zod";
import { VERSION } from "../../../shared/version.ts";
import { ApiError } from "../../../shared/shapes/error.ts";
import { type Answer, type ApiRoute, apiRoute, type RawBody } from "./route.ts";

type Json = Record<string, unknown>;

/** As OpenAPI 3.1 has it. */
const Document = z.looseObject({
  openapi: z.literal("3.1.0"),
  paths: z.record(z.string(), z.record(z.string(), z.unknown())),
});

/** The description of these routes and of itself. */
export function openApiRoute(routes: ApiRoute[]): ApiRoute {
  const own: ApiRoute = apiRoute({
    method: "GET",
    path: "/api/openapi.json",
    role: "public",
    summary: "This description, as OpenAPI 3.1",
    response: { 200: Document },
    handler: () => document,
  });
  const document = openApi([...routes, own]);
  return own;
}

export function openApi(routes: ApiRoute[]) {
  const schemas: Record<string, Json> = {};
  const error = jsonContent(ApiError, schemas);
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    (paths[path] ??= {})[route.method.toLowerCase()] = {
      ...operation(route, schemas),
      responses: {
        ...responses(route, schemas),
        default: { description: "An error", content: error },
      },
    };
  }
  return {
    openapi: "3.1.0" as const,
    info: { title: "restic-manager", version: VERSION },
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "An API token (POST /api/tokens)" },
        session: { type: "apiKey", in: "cookie", name: "rm_session" },
      },
      schemas,
    },
    paths,
  };
}

function operation(route: ApiRoute, schemas: Record<string, Json>): Json {
  const parameter = { required: true, schema: { type: "string" } };
  return {
    summary: route.summary,
    description: `Role: ${route.role ?? "admin"}`,
    security: route.role === "public" ? [] : [{ token: [] }, { session: [] }],
    parameters: [
      ...[...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
        name,
        in: "path",
        ...parameter,
      })),
      ...(route.query ?? []).map((name) => ({ name, in: "query", schema: { type: "string" } })),
    ],
    ...(route.body
      ? { requestBody: { required: true, content: jsonContent(route.body, schemas) } }
      : {}),
  };
}

function responses(route: ApiRoute, schemas: Record<string, Json>): Json {
  return Object.fromEntries(
    Object.entries(route.response).map(([status, answer]) => [
      status,
      answer === null ? { description: "Done" } : described(answer, schemas),
    ]),
  );
}

function described(answer: Answer, schemas: Record<string, Json>): Json {
  if (answer instanceof z.ZodType) {
    return { description: "Done", content: jsonContent(answer, schemas) };
  }
  const { type, description }: RawBody = answer;
  return { description, content: { [type]: { schema: { type: "string" } } } };
}

/** What has an id becomes a schema of the document, to which others refer. */
function jsonContent(schema: z.ZodType, schemas: Record<string, Json>): Json {
  const { $schema: _, $defs, ...own } = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      // It says the same at great length.
      if (jsonSchema.format === "date-time") delete jsonSchema.pattern;
    },
  });
  for (const [name, each] of Object.entries($defs ?? {})) schemas[name] = referring(each);
  return { "application/json": { schema: referring(own) } };
}

function referring(schema: object): Json {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'));
}
