// The log of both programs: one event is one line on stderr, as text or as an object of JSON. What people, agents and restic
// wrote is made visible first, so that nothing in it can forge a second line, colour a terminal or turn the text around.
import { visible } from "./redact.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = typeof LOG_LEVELS[number];

export const LOG_FORMATS = ["text", "json"] as const;
export type LogFormat = typeof LOG_FORMATS[number];

export type Log = Record<LogLevel, (message: string) => void>;

/** RM_LOG_LEVEL and RM_LOG_FORMAT. */
export interface LogSettings {
  logLevel: LogLevel;
  logFormat: LogFormat;
}

/** The log that the settings of a program ask for, on stderr. */
export function openLog({ logLevel, logFormat }: LogSettings): Log {
  return createLog(logLevel, (line) => writeTo(Deno.stderr, line), logFormat);
}

/** A log that writes what is at least as weighty as `least`; each line comes with its line break. */
export function createLog(
  least: LogLevel,
  write: (line: string) => void,
  format: LogFormat = "text",
): Log {
  const from = LOG_LEVELS.indexOf(least);
  const at = (level: LogLevel) => (message: string) => {
    if (LOG_LEVELS.indexOf(level) >= from) write(logLine(format, level, message));
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/**
 * What a person who starts a program has to read, such as a link or a fingerprint: on stdout, whatever the level. It is a line
 * of JSON where the log is JSON, because containers and services read both streams as one.
 */
export function printerFor(format: LogFormat): (text: string) => void {
  if (format === "text") return (text) => console.log(visible(text));
  return (text) => writeTo(Deno.stdout, logLine("json", "info", text.trim()));
}

/** The message is the same in both formats: whoever prints the field `message` of JSON prints one harmless line too. */
function logLine(format: LogFormat, level: LogLevel, message: string): string {
  const time = new Date().toISOString();
  const text = oneLine(message);
  return format === "json"
    ? `${JSON.stringify({ time, level, message: text })}\n`
    : `${time} ${level} ${text}\n`;
}

/** A text of any origin as one line in which no character acts. */
export function oneLine(text: string): string {
  return visible(text.toWellFormed()).replaceAll("\n", "␊");
}

/** What an exception says, without its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The format or level that a setting names, in letters of either case; undefined when it names none. */
export function oneOf<T extends string>(known: readonly T[], text: string): T | undefined {
  return known.find((each) => each === text.toLowerCase());
}

const encoder = new TextEncoder();

function writeTo(stream: { writeSync(bytes: Uint8Array): number }, line: string): void {
  const bytes = encoder.encode(line);
  try {
    // A pipe may take a part at a time, and half a line would spoil the next one.
    for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
  } catch {
    // Nobody reads the log any more; that must not end a backup.
  }
}
