// GET /api/openapi.json: made of the route table, so that it cannot fall behind.
import { z } from "zod";
import { VERSION } from "../../../shared/version.ts";
import { PROBLEMS, SEVERITIES } from "../../../shared/problems.ts";
import type { ApiRoute } from "./route.ts";
import { isTimeName } from "./shapes.ts";

const ERROR = {
  type: "object",
  properties: {
    error: {
      type: "object",
      properties: {
        code: { type: "string" },
        message: { type: "string" },
        field: { type: "string" },
      },
      required: ["code", "message"],
    },
  },
};

/** One code of shared/problems.ts with what its params hold; times are ISO 8601 here. */
const PROBLEM = {
  type: "object",
  properties: {
    code: { type: "string", enum: Object.keys(PROBLEMS) },
    severity: { type: "string", enum: SEVERITIES },
    since: { type: "string", format: "date-time", description: "By the server's clock" },
    message: { type: "string", description: "For people; its words may change, the code does not" },
    params: { type: "object" },
  },
  required: ["code", "severity", "since", "message", "params"],
  oneOf: Object.entries(PROBLEMS).map(([code, { severity, params }]) => ({
    properties: {
      code: { const: code },
      severity: { const: severity },
      params: paramsSchema(params),
    },
  })),
};

function paramsSchema(params: z.ZodObject): object {
  const { $schema: _, ...schema } = z.toJSONSchema(params, {
    override: ({ jsonSchema, path }) => {
      // As shapes.ts makes them.
      if (jsonSchema.type !== "number" || !path.some((part) => isTimeName(String(part)))) return;
      jsonSchema.type = "string";
      jsonSchema.format = "date-time";
    },
  });
  return schema;
}

export function openApi(routes: ApiRoute[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: "3.1.0",
    info: { title: "restic-manager", version: VERSION },
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "An API token (POST /api/tokens)" },
        session: { type: "apiKey", in: "cookie", name: "rm_session" },
      },
      schemas: { Error: ERROR, Problem: PROBLEM },
    },
    paths,
  };
}

function operation(route: ApiRoute): object {
  const error = {
    description: "An error",
    content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
  };
  return {
    summary: route.summary,
    description: `Role: ${route.role ?? "admin"}`,
    security: route.role === "public" ? [] : [{ token: [] }, { session: [] }],
    parameters: [
      ...[...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
        name,
        in: "path",
        required: true,
        schema: { type: "string" },
      })),
      ...(route.query ?? []).map((name) => ({ name, in: "query", schema: { type: "string" } })),
    ],
    ...(route.body
      ? {
        requestBody: {
          required: true,
          content: {
            "application/json": {
              schema: z.toJSONSchema(route.body, { io: "input", unrepresentable: "any" }),
            },
          },
        },
      }
      : {}),
    responses: {
      [route.answers ?? 200]: {
        description: "Done",
        ...(route.response ? { content: { "application/json": { schema: route.response } } } : {}),
      },
      default: error,
    },
  };
}
