// A subject's fields as columns of the same names: flags as 0 and 1, lists and records as JSON.
import type { z } from "zod";
import { fieldKind } from "../../shared/field_kind.ts";

/** What a column of a field holds. */
export type ColumnOf<T> = T extends boolean ? number
  : T extends string | number | null ? T
  : string;
export type ColumnsOf<T> = { [K in keyof T]-?: ColumnOf<Exclude<T[K], undefined>> };

type Fields = z.ZodObject<z.ZodRawShape>;

export function toColumns<S extends Fields>(
  schema: S,
  value: z.output<S>,
): ColumnsOf<z.output<S>> {
  const columns = Object.entries(schema.shape).map(([name, field]) => {
    const given = value[name as keyof typeof value] as unknown;
    switch (fieldKind(field as z.ZodType)) {
      case "flag":
        return [name, given ? 1 : 0];
      case "lines":
      case "record":
        return [name, JSON.stringify(given)];
      default:
        return [name, given];
    }
  });
  return Object.fromEntries(columns) as ColumnsOf<z.output<S>>;
}

/** The fields from a row that may hold more. */
export function fromColumns<S extends Fields>(
  schema: S,
  row: ColumnsOf<z.output<S>>,
): z.output<S> {
  const fields = Object.entries(schema.shape).map(([name, field]) => {
    const stored = row[name as keyof typeof row] as unknown;
    switch (fieldKind(field as z.ZodType)) {
      case "flag":
        return [name, stored === 1];
      case "lines":
      case "record":
        return [name, JSON.parse(stored as string)];
      default:
        return [name, stored];
    }
  });
  return Object.fromEntries(fields) as z.output<S>;
}
