// The fields that forms, API bodies and messages have in common, each with the sentence that refuses a bad value.
// A sentence continues the field's name: "name must be 1 to 64 characters".
import { z } from "zod";
import { isTimeZone, parseCron } from "./cron.ts";
import { deceptionIn, refusedEverywhere } from "./deceptive_name.ts";

/** Letters, digits and quiet punctuation; no control characters, no markup, no leading dash (restic would take an option). */
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}\p{M} ._@()+-]*$/u;

type Reader = (text: string) => string | undefined;
/** What deceives eyes is refused with what it is: see deceptive_name.ts. */
const readable = <T extends z.ZodType<string>>(schema: T, problem: Reader) =>
  schema.superRefine((text, context) => {
    const message = problem(text);
    if (message) context.addIssue({ code: "custom", message });
  });
/** Marks are composed, so that a name is one text however it was typed. */
const typed = (schema: z.ZodString) =>
  readable(schema.normalize("NFC"), (text) => deceptionIn(text)?.sentence);

export const name = typed(
  z.string("must be text").trim().min(1, "must not be empty")
    .max(200, "must be at most 200 characters").regex(
      NAME,
      "must begin with a letter or digit and hold only letters, digits, spaces and . _ - @ ( ) +",
    ),
);

/** A host's name reaches restic as --host, so it is held to what a host name may be. */
const asHostName = z.string("must be text").trim().min(1, "must not be empty")
  .max(200, "must be at most 200 characters").regex(
    /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._-]*$/u,
    "must begin with a letter or digit and hold only letters, digits, dots, dashes and underscores",
  );
export const hostName = typed(asHostName);
/** As a machine announces itself: one that mixes scripts may wait, and is marked. */
export const announcedHostName = readable(asHostName.normalize("NFC"), refusedEverywhere);

/** A source group's name is the snapshot tag; restic splits tags at commas. */
const asGroupName = z.string("must be text").trim().min(1, "must not be empty")
  .max(64, "must be at most 64 characters").regex(
    /^[\p{L}\p{N}][\p{L}\p{N}\p{M} ._-]*$/u,
    "must begin with a letter or digit and hold only letters, digits, spaces, dots, dashes and underscores (it becomes the snapshot tag)",
  );
export const groupName = typed(asGroupName);
/** In messages: what is stored since before goes on as it is, since it is in snapshots. */
export const storedGroupName = asGroupName;

export const userName = z.string("must be text").trim().regex(
  /^[a-z0-9][a-z0-9._@-]{0,63}$/i,
  "must be 1 to 64 letters, digits or . _ @ -, and begin with a letter or digit",
);

export const tag = typed(
  z.string("must be text").trim().regex(
    /^[\p{L}\p{N}][\p{L}\p{N}._:-]{0,63}$/u,
    "must be 1 to 64 letters, digits or . _ : -",
  ),
);
export const tags = z.array(tag, "must be a list of tags").max(32, "must be at most 32 tags");

/** Text that names something outside our control: a path, a URL. No control characters ever. */
const printable = (limit: number) =>
  z.string("must be text").max(limit, `must be at most ${limit} characters`).regex(
    /^\P{Cc}*$/u,
    "must not hold control characters or line breaks",
  );

/** One line that a person writes for people. */
export const line = (limit: number) => printable(limit).trim().min(1, "must not be empty");

/** An absolute path: /etc, C:\Users, \\server\share. Its beginning keeps it from being read as an option. */
export const absolutePath = printable(4096).regex(
  /^(\/|[A-Za-z]:[\\/]|\\\\[^\\/])/,
  "must be an absolute path such as /home, C:\\Users or \\\\server\\share",
);

export const excludePattern = printable(4096).min(1, "must not be empty");

/** Of a list that goes into a plan; the whole plan is held against what an agent takes when it is saved. */
const LIST_CHARACTERS = 700_000;
const isShortEnough = (list: unknown) => JSON.stringify(list).length <= LIST_CHARACTERS;
const TOO_LONG = `must be at most ${LIST_CHARACTERS} characters together`;

export const paths = z.array(absolutePath, "must be a list of paths").max(
  500,
  "must be at most 500 paths",
).refine(isShortEnough, TOO_LONG);
export const excludes = z.array(excludePattern, "must be a list of patterns").max(
  2000,
  "must be at most 2000 patterns",
).refine(isShortEnough, TOO_LONG);

/** A folder that holds such a file is left out; with a header only where the file begins with it. */
export const excludeIfPresent = printable(300).regex(
  /^[^/\\:]+(:.+)?$/,
  "must be the name of a file, such as .nobackup, or name:header",
);

/** restic takes k, M, G and T as powers of 1024. */
export const fileSize = z.string("must be text").trim().regex(
  /^[1-9]\d{0,11}[kKmMgGtT]?$/,
  "must be a size such as 500M or 2G",
);

/** KiB/s; null, like a blank field, means no limit. */
export const bandwidthLimit = z.int("must be a whole number of KiB/s, or blank for no limit")
  .min(0, "must be 0 or more KiB/s").max(10_000_000, "must be at most 10000000 KiB/s").nullable();

/** What a hook's shell gets; line breaks become LF. */
export const hookText = z.string("must be text").max(32_768, "must be at most 32768 characters")
  .regex(
    // deno-lint-ignore no-control-regex
    /^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$/,
    "must hold no control characters but tabs and line breaks",
  )
  .transform((text) => text.replaceAll(/\r\n?/g, "\n"));

export const hookTimeout = z.int("must be a whole number of seconds from 1 to 86400")
  .min(1, "must be from 1 to 86400 seconds").max(86_400, "must be from 1 to 86400 seconds");

export const hookStopAtError = z.boolean("must be true or false").describe(
  "Whether a hook ends at the first step that fails, as a shell does after set -e. True for new hooks; absent keeps it. A hook with a #! line decides by itself.",
);

export const secret = (limit = 1024) =>
  z.string("must be text").min(1, "must not be empty").max(
    limit,
    `must be at most ${limit} characters`,
  )
    // deno-lint-ignore no-control-regex
    .regex(/^[^\u0000\r\n]*$/, "must be one line");

/** The user of a REST repository, as HTTP basic authentication takes it: al@ex.org and DOMAIN\\al are users. */
export const storageUser = z.string("must be text").max(200, "must be at most 200 characters")
  .regex(/^[^\p{Cc}:]*$/u, "must not hold a colon, line breaks or control characters")
  .refine((text) => text.isWellFormed(), "must be text")
  .transform((text) => text.trim() || null);

export const id = z.string("must be text").regex(
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
  "must be an id as the API gives it",
);

/** A cron expression as shared/cron.ts reads it. */
export const cron = z.string("must be text").superRefine((text, context) => {
  try {
    parseCron(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
}).transform((text) => parseCron(text));

export const timeZone = z.string("must be text").refine(
  isTimeZone,
  "must be a time zone such as Europe/Berlin or UTC",
);

export interface FieldProblem {
  field: string | undefined;
  /** A whole sentence that names the field. */
  message: string;
}

/** The first thing wrong with a value, as a sentence that names the field and says what is accepted. */
export function firstProblem(error: z.ZodError, schema?: z.ZodType): FieldProblem {
  const issue = error.issues[0];
  if (!issue) return { field: undefined, message: "The request is not valid." };
  const field = issue.path.join(".") || undefined;
  if (issue.code === "unrecognized_keys") {
    const unknown = [field, issue.keys[0]].filter(Boolean).join(".");
    const known = schema instanceof z.ZodObject && !field
      ? ` Known fields: ${Object.keys(schema.shape).join(", ") || "none"}.`
      : "";
    return { field: unknown, message: `${unknown} is not a known field.${known}` };
  }
  if (issue.code === "invalid_type" && issue.input === undefined) {
    return { field, message: `${field ?? "The body"} is required.` };
  }
  const sentence = issue.message.startsWith("Invalid ") || issue.message.startsWith("Too ")
    ? `is not valid: ${issue.message}`
    : issue.message;
  return { field, message: `${field ?? "The body"} ${sentence.replace(/\.?$/, ".")}` };
}

/** Free text of an agent, at most so many characters. SQLite ends a text at a NUL; its picture stands for it. */
export const text = (limit: number) =>
  z.string().max(limit).transform((value) => value.replaceAll("\0", "\u2400"));
