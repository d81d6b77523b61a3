import { strict as assert } from "node:assert";
import { Validator } from "@seriousme/openapi-schema-validator";
import { z } from "zod";
import { API_ROUTES } from "../../../server/web/api/routes.ts";
import { apiRoute } from "../../../server/web/api/route.ts";
import { openApi } from "../../../server/web/api/openapi.ts";
import { Time } from "../../../shared/shapes/time.ts";
import { faultIn } from "../../support/answer_fault.ts";
import { createCheckedApp } from "../../support/checked_app.ts";
import { startServer } from "../../support/start_server.ts";

/** What the validator says is wrong with a document. */
async function errorsIn(document: object) {
  const { valid, errors } = await new Validator({ strict: false }).validate(
    JSON.parse(JSON.stringify(document)),
  );
  assert.equal(valid, errors === undefined);
  return errors;
}

Deno.test("openapi.json is OpenAPI 3.1, and the validator would see what is not", async () => {
  await using test = await startServer({ still: true });
  const { body } = await test.api(null, "GET", "/api/openapi.json");
  assert.equal(body.openapi, "3.1.0");
  assert.equal(await errorsIn(body), undefined);
  const operation = body.paths["/api/hosts"].get;
  operation.responses["200"].content = "application/json";
  assert.ok(await errorsIn(body));
});

Deno.test("openapi.json describes every answer of every route, and each reference leads somewhere", () => {
  const document = openApi(API_ROUTES);
  for (const { method, path, response } of API_ROUTES) {
    const operation = document.paths[path.replace(/:(\w+)/g, "{$1}")]![method.toLowerCase()];
    const { responses } = operation as {
      responses: Record<string, { content?: Record<string, { schema: object }> }>;
    };
    for (const [status, answer] of Object.entries(response)) {
      const content = responses[status]?.content;
      if (answer === null) assert.equal(content, undefined, path);
      else assert.notDeepEqual(Object.values(content!)[0]!.schema, {}, `${method} ${path}`);
    }
    assert.ok(responses.default?.content, path);
  }
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)];
  assert.ok(references.length > 100);
  for (const [, reference] of references) {
    const [, name] = reference!.split("#/components/schemas/");
    assert.ok(name && document.components.schemas[name], reference);
  }
});

Deno.test("in openapi.json a time is a time, a cap is KiB/s, and a client may be sent more than it knows", () => {
  const { Host, Job } = openApi(API_ROUTES).components.schemas as Record<
    string,
    { properties: Record<string, { description?: string }>; additionalProperties?: boolean }
  >;
  assert.match(JSON.stringify(Host!.properties.last_seen_at), /"format":"date-time"/);
  for (const { properties } of [Host!, Job!]) {
    assert.match(properties.bandwidth_up_kbps!.description!, /KiB\/s/);
    assert.match(properties.bandwidth_down_kbps!.description!, /KiB\/s/);
  }
  assert.equal(Host!.additionalProperties, undefined);
});

Deno.test("the check of answers names the field that is wrong, missing or not in the schema, at any depth", () => {
  const schema = z.object({
    id: z.string(),
    runs: z.array(z.object({ at: Time.nullable(), more: z.record(z.string(), z.unknown()) })),
    which: z.discriminatedUnion("code", [
      z.object({ code: z.literal("a"), n: z.number() }),
      z.object({ code: z.literal("b") }),
    ]).optional(),
  });
  const right = { id: "1", runs: [{ at: "2026-11-22T03:00:00.000Z", more: { x: { y: 1 } } }] };
  assert.equal(faultIn(schema, right), undefined);
  assert.equal(faultIn(schema, { ...right, which: { code: "b" } }), undefined);
  const wrong: [unknown, RegExp][] = [
    [{ ...right, id: 1 }, /^id: .*string/],
    [{ id: "1" }, /^runs: /],
    [{ ...right, secret: null }, /^secret is not named/],
    [{ ...right, runs: [{ at: 1_700_000_000_000, more: {} }] }, /^runs\.0\.at: /],
    [{ ...right, runs: [{ at: null, more: {}, seen: 1 }] }, /^runs\.0\.seen is not named/],
    [{ ...right, which: { code: "b", n: 1 } }, /^which\.n is not named/],
    [{ ...right, which: { code: "c" } }, /^which/],
    [[right], /^the whole: /],
  ];
  for (const [value, expected] of wrong) assert.match(String(faultIn(schema, value)), expected);
});

Deno.test("a server of the tests answers 500 and fails its test when an answer is not as its route says", async () => {
  await using test = await startServer({ still: true });
  const asked = async (path: string, handler: (typeof API_ROUTES)[number]["handler"]) => {
    const faults: string[] = [];
    const row = API_ROUTES.find((route) => route.path === path && route.method === "GET")!;
    const routes = [{ ...row, handler }];
    const app = createCheckedApp(test.server, (fault) => faults.push(fault), routes);
    const response = await app.request(`http://127.0.0.1${path}`, {
      headers: { authorization: `Bearer ${test.tokens.alice}`, host: "127.0.0.1" },
    }, { peer: "127.0.0.1" });
    const text = await response.text();
    assert.deepEqual([response.status, faults], faults[0] ? [500, [text]] : [200, []]);
    return faults[0];
  };
  const right = { version: "1", protocol_version: 1 };
  assert.equal(await asked("/api/version", (_, c) => c.json(right)), undefined);
  const wrong: [path: string, handler: Parameters<typeof asked>[1], RegExp][] = [
    ["/api/version", (_, c) => c.json({ version: 1 }), /GET \/api\/version: version: /],
    ["/api/version", (_, c) => c.json({ ...right, more: 1 }), /more is not named/],
    ["/api/version", (_, c) => c.json(right, 202), /the status 202 is not declared/],
    ["/api/version", (_, c) => c.body(null, 204), /the status 204 is not declared/],
    ["/api/version", (_, c) => c.text("1"), /Content-Type is text\/plain/],
    ["/api/audit.csv", (_, c) => c.json([]), /instead of text\/csv/],
    ["/api/version", (_, c) => c.json({ message: "no" }, 409), /error: /],
    ["/api/version", (_, c) => c.text("no", 404), /Content-Type is text\/plain/],
    ["/install/install.sh", (_, c) => c.json({}), /instead of text\/plain/],
  ];
  for (const [path, handler, expected] of wrong) {
    assert.match(String(await asked(path, handler)), expected);
  }
});

Deno.test("stopping a server of the tests throws when one of its answers was not as its route says", async () => {
  const test = await startServer({ still: true });
  // A name that no schema has, in what is stored.
  await test.server.db.updateTable("users").set({ role: "king" as "admin" })
    .where("username", "=", "victor").execute();
  const { status, body } = await test.api("alice", "GET", "/api/users");
  assert.equal(status, 500);
  assert.match(body, /items\.\d\.role/);
  await assert.rejects(test[Symbol.asyncDispose](), /GET \/api\/users: items\.\d\.role/);
});

Deno.test("a route says which status its JSON comes with: two are refused when the table is made", () => {
  const row = { method: "GET", path: "/api/x", summary: "", handler: () => "" } as const;
  const two = { 200: z.string(), 201: z.string() };
  assert.throws(() => apiRoute({ ...row, response: two }), /GET \/api\/x/);
});

/** Never called: the compiler sees it. */
export function notCompiled() {
  const row = { method: "GET", path: "/api/x", summary: "" } as const;
  // @ts-expect-error: a route without a response
  apiRoute({ ...row, handler: () => {} });
  // @ts-expect-error: a handler that returns something else
  apiRoute({ ...row, response: { 200: z.number() }, handler: () => "1" });
  // @ts-expect-error: a field that is missing
  apiRoute({ ...row, response: { 200: z.object({ a: z.string() }) }, handler: () => ({}) });
  // @ts-expect-error: a time that was left as a number
  apiRoute({ ...row, response: { 200: z.object({ at: Time }) }, handler: () => ({ at: 1 }) });
  // @ts-expect-error: nothing, where there is no status without a body
  apiRoute({ ...row, response: { 200: z.string() }, handler: () => {} });
  apiRoute({ ...row, response: { 200: z.string(), 204: null }, handler: () => {} });
}
