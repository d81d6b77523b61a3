// What kind of value a field's schema takes, so that a column, a form and an order are made from the one schema.
import type { z } from "zod";

/** "lines": a list of texts. "record": an object with fields of its own. */
export type FieldKind = "text" | "number" | "flag" | "lines" | "record";

const KINDS: Record<string, FieldKind> = {
  string: "text",
  number: "number",
  boolean: "flag",
  array: "lines",
  object: "record",
};

interface Definition {
  type: string;
  innerType?: z.ZodType;
  out?: z.ZodType;
}

/** Defaults, null, absence and what a pipe ends in are looked through. Throws for a kind that has no form. */
export function fieldKind(schema: z.ZodType): FieldKind {
  const { type, innerType, out } = schema.def as Definition;
  const kind = KINDS[type];
  if (kind) return kind;
  const inner = innerType ?? out;
  if (!inner) throw new Error(`a field of the type ${type} has no kind`);
  return fieldKind(inner);
}

/** The fields of a "record", however it is wrapped. */
export function recordFields(schema: z.ZodType): Record<string, z.ZodType> {
  const { innerType, out } = schema.def as Definition;
  const inner = innerType ?? out;
  if (inner) return recordFields(inner);
  return (schema as z.ZodObject<Record<string, z.ZodType>>).shape;
}

/** Whether null is a value of the field. */
export function takesNull(schema: z.ZodType): boolean {
  return schema.safeParse(null).success;
}

/** The same fields, each of which may be absent and then is nothing: for messages, where it costs nothing to leave it out. */
export function allOptional<S extends z.ZodRawShape>(shape: S): OptionalFields<S> {
  return Object.fromEntries(
    Object.entries(shape).map((
      [name, schema],
    ) => [name, withoutDefault(schema as z.ZodType).optional()]),
  ) as OptionalFields<S>;
}

type OptionalFields<S extends z.ZodRawShape> = {
  [K in keyof S]: z.ZodOptional<z.ZodType<z.output<S[K]>>>;
};

/** What the field holds once it is read: never absent where there is a default. */
export function allPresent<S extends z.ZodRawShape>(shape: S): PresentFields<S> {
  return Object.fromEntries(
    Object.entries(shape).map(([name, schema]) => [name, withoutDefault(schema as z.ZodType)]),
  ) as PresentFields<S>;
}

type PresentFields<S extends z.ZodRawShape> = { [K in keyof S]: z.ZodType<z.output<S[K]>> };

function withoutDefault(schema: z.ZodType): z.ZodType {
  const { type, innerType } = schema.def as Definition;
  return (type === "default" || type === "prefault") && innerType
    ? withoutDefault(innerType)
    : schema;
}
