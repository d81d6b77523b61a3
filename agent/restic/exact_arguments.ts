// Arguments of restic that are bytes: names in a snapshot need not be text.
import { textOf } from "../../shared/snapshot_path.ts";
import { joinBytes } from "../archive/bytes.ts";
import type { RunOptions } from "./run.ts";

const encoder = new TextEncoder();

/** `more` follow `args`, each joined of its parts; as text where all of it is text, as on every machine but a few. */
export function exactArguments(
  args: string[],
  more: (string | Uint8Array)[][],
): Pick<RunOptions, "args" | "bytes"> {
  const bytes = more.map((parts) =>
    joinBytes(parts.map((part) => typeof part === "string" ? encoder.encode(part) : part))
  );
  const texts = bytes.map(textOf);
  return texts.every((text) => text !== undefined)
    ? { args: [...args, ...texts] }
    : { args, bytes };
}

/** A path as restic has it in its trees. */
export function pathBytes(names: readonly Uint8Array[]): Uint8Array {
  return joinBytes(names.flatMap((name) => [encoder.encode("/"), name]));
}
