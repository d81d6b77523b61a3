// One line per event on stderr. Text from elsewhere is made visible, so that nothing in it can forge or colour a line.
import { visible } from "../shared/redact.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = typeof LOG_LEVELS[number];

export type Log = Record<LogLevel, (message: string) => void>;

/** A log that writes what is at least as weighty as `least`. */
export function createLog(least: LogLevel, write: (line: string) => void = toStderr): Log {
  const from = LOG_LEVELS.indexOf(least);
  const at = (level: LogLevel) => (message: string) => {
    if (LOG_LEVELS.indexOf(level) < from) return;
    write(`${new Date().toISOString()} ${level} ${visible(message).replaceAll("\n", "␊")}\n`);
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** What an exception says, without its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const encoder = new TextEncoder();

function toStderr(line: string): void {
  try {
    Deno.stderr.writeSync(encoder.encode(line));
  } catch {
    // Nobody reads the log any more; that must not end a backup.
  }
}
