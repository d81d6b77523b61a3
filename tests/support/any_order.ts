import type { JobKind } from "../../shared/job_kinds/all.ts";
import type { CommandRun, ServerMessage } from "../../shared/protocol.ts";

type FieldNames<U> = U extends unknown ? keyof U : never;
type Field<U, K> = U extends unknown ? K extends keyof U ? U[K] : never : never;

/** An order with the fields of all kinds: a test knows itself of which kind it is, or sends what does not belong together. */
export type AnyOrder =
  & { type: "command.run"; job_id: string; repository_id: string; kind: JobKind }
  & { [K in Exclude<FieldNames<CommandRun>, "type" | "kind">]?: Field<CommandRun, K> | undefined };

export type AnyServerMessage = Exclude<ServerMessage, CommandRun> | AnyOrder;
