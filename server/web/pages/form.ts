// Forms: texts in, either what an action answered or the sentences to show beside the fields.
import { z } from "zod";
import { firstProblem } from "../../../shared/fields.ts";
import type { Errors } from "../../../templates/parts/field.tsx";
import { AppError, type ErrorCode } from "../../errors.ts";
import type { Ctx } from "../context.ts";

export interface Form {
  /** "" when the field is not there. */
  text(name: string): string;
  all(name: string): string[];
  ticked(name: string): boolean;
  /** Whether the form holds the field at all; a disabled one is not sent. */
  has(name: string): boolean;
}

export async function readForm(c: Ctx): Promise<Form> {
  const data = await c.req.formData().catch(() => {
    throw new AppError("bad_request", "The body must be a form.");
  });
  const texts = (name: string) =>
    data.getAll(name).map((value) => typeof value === "string" ? value : "");
  return {
    text: (name) => texts(name)[0] ?? "",
    all: texts,
    ticked: (name) => data.has(name),
    has: (name) => data.has(name),
  };
}

export type Tried<T> = { done: T; errors?: undefined } | { done?: undefined; errors: Errors };

/** What a person can mend in the form; everything else is answered by the error page. */
const CORRECTABLE: ReadonlySet<ErrorCode> = new Set(
  ["invalid", "conflict", "name_mismatch", "unauthorized", "too_many", "agent_offline"] as const,
);

/** What one field may not hold for this person is that field's; a page that is not theirs is the error page's. */
function isCorrectable({ code, field }: AppError): boolean {
  return CORRECTABLE.has(code) || (code === "forbidden" && field !== undefined);
}

/** Reads the value and acts on it. Every problem is under its field's name; "" for what belongs to none. */
export async function attempt<S extends z.ZodType, T>(
  schema: S,
  value: unknown,
  act: (input: z.output<S>) => Promise<T>,
): Promise<Tried<T>> {
  const read = schema.safeParse(value, { reportInput: true });
  if (!read.success) return { errors: problemsOf(read.error, schema) };
  return await attemptTo(() => act(read.data));
}

export async function attemptTo<T>(act: () => Promise<T>): Promise<Tried<T>> {
  try {
    return { done: await act() };
  } catch (error) {
    if (!(error instanceof AppError) || !isCorrectable(error)) throw error;
    const { name, sentence } = inList(error.field ?? "", error.message);
    return { errors: { [name]: sentence } };
  }
}

function problemsOf(error: z.ZodError, schema: z.ZodType): Errors {
  const errors: Errors = {};
  for (const issue of error.issues) {
    const { field = "", message } = firstProblem(new z.ZodError([issue]), schema);
    const { name, sentence } = inList(field, message);
    errors[name] ??= sentence;
  }
  return errors;
}

/** "includes.2 must be an absolute path" is about line 3 of the field includes. */
function inList(field: string, message: string): { name: string; sentence: string } {
  const match = /^(.+)\.(\d+)$/.exec(field);
  if (!match) return { name: field, sentence: message };
  const place = `${match[1] === "tags" ? "tag" : "line"} ${Number(match[2]) + 1}`;
  return { name: match[1]!, sentence: message.replace(field, place) };
}

/** One entry a line; blank lines do not count. */
export function linesOf(text: string): string[] {
  return text.split(/\r\n|\r|\n/).map((line) => line.trim()).filter((line) => line !== "");
}

/** Tags as typed: between commas or spaces. */
export function tagsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((tag) => tag !== "");
}

/** A whole number; blank is nothing, and what is no number stays text for the schema to refuse. */
export function numberOf(text: string): number | string | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  return /^-?\d{1,15}$/.test(trimmed) ? Number(trimmed) : trimmed;
}
