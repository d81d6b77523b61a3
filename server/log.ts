import { visible } from "../shared/redact.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = typeof LOG_LEVELS[number];

/** One line per event on stderr: time, level, what happened. Control characters are made visible. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export function createLog(
  level: LogLevel,
  write: (line: string) => void = (line) => console.error(line),
): Log {
  const from = LOG_LEVELS.indexOf(level);
  const at = (each: LogLevel) => (message: string) => {
    if (LOG_LEVELS.indexOf(each) < from) return;
    write(
      `${new Date().toISOString()} ${each.padEnd(5)} ${visible(message.replaceAll("\n", " ⏎ "))}`,
    );
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
