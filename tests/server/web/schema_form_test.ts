import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { fromColumns, toColumns } from "../../../server/database/columns.ts";
import type { Form } from "../../../server/web/pages/form.ts";
import {
  formErrors,
  formInput,
  formValues,
  typedValues,
} from "../../../server/web/pages/schema_form.ts";
import { allOptional, allPresent } from "../../../shared/field_kind.ts";

const Sample = z.strictObject({
  name: z.string().trim().min(1, "must not be blank"),
  paths: z.array(z.string()).max(3).default([]),
  larger_than: z.string().trim().regex(/^\d+$/).nullable().default(null),
  caches: z.boolean().default(false),
  percent: z.int("must be a whole number").min(0).max(100).default(50),
  limit: z.int().nullable(),
  keep: z.strictObject({ last: z.int().min(1).optional(), within: z.string().optional() })
    .default({}),
});
type Sample = z.output<typeof Sample>;

const samples = fc.record({
  name: fc.stringMatching(/^[a-z<"']{1,20}$/),
  paths: fc.array(fc.stringMatching(/^\/[a-z ]{0,9}[a-z]$/), { maxLength: 3 }),
  larger_than: fc.option(fc.stringMatching(/^\d{1,9}$/)),
  caches: fc.boolean(),
  percent: fc.nat(100),
  limit: fc.option(fc.nat()),
  keep: fc.record({ last: fc.integer({ min: 1, max: 99 }), within: fc.constant("30d") }, {
    requiredKeys: [],
    noNullPrototype: true,
  }),
}, { noNullPrototype: true }) as fc.Arbitrary<Sample>;

function formOf(texts: Record<string, string>): Form {
  return {
    text: (name) => texts[name] ?? "",
    all: (name) => name in texts ? [texts[name]!] : [],
    ticked: (name) => name in texts,
    has: (name) => name in texts,
  };
}

Deno.test("what a form shows of a value, sent back unchanged, is that value again", () => {
  fc.assert(fc.property(samples, (sample) => {
    const shown = formValues(Sample, sample);
    const typed = typedValues(Sample, formOf(shown));
    assert.deepEqual(Sample.parse(formInput(Sample, typed)), sample);
  }));
});

Deno.test("what is stored in columns comes out of them again, and a column holds a text, a number or null", () => {
  fc.assert(fc.property(samples, (sample) => {
    const columns = toColumns(Sample, sample);
    for (const value of Object.values(columns)) {
      assert.ok(value === null || ["string", "number"].includes(typeof value));
    }
    assert.deepEqual(fromColumns(Sample, columns), sample);
  }));
});

Deno.test("nonsense stays as it was typed, and is refused under the name of its input", () => {
  const texts = { name: " ", percent: "many", last: "x", larger_than: " ", caches: "on" };
  const typed = typedValues(Sample, formOf(texts));
  assert.deepEqual([typed.percent, typed.last, typed.paths], ["many", "x", ""]);
  const input = formInput(Sample, typed);
  assert.deepEqual([input.percent, input.larger_than, input.caches], ["many", null, true]);
  const { error } = Sample.safeParse(input);
  assert.deepEqual(error!.issues.map(({ path }) => path.join(".")).sort(), [
    "keep.last",
    "name",
    "percent",
  ]);
  assert.deepEqual(formErrors(Sample, { "keep.last": "keep.last must be 1", name: "name is" }), {
    last: "last must be 1",
    name: "name is",
  });
});

Deno.test("a message's fields may be absent without becoming their defaults, an answer's may not", () => {
  const message = z.object(allOptional(Sample.shape));
  assert.deepEqual(message.parse({ name: "x" }), { name: "x" });
  assert.equal(message.safeParse({ percent: 101 }).success, false);
  const answer = z.object(allPresent(Sample.shape));
  assert.equal(answer.safeParse({ name: "x" }).success, false);
});
