// Who did what to what, when, from where.
import { z } from "zod";
import { NamedActor } from "./actor.ts";
import { Time } from "./time.ts";

export const AuditEntry = z.object({
  id: z.number(),
  at: Time,
  actor: NamedActor,
  action: z.string(),
  target: z.object({
    kind: z.string(),
    id: z.string().nullable(),
    name: z.string().nullable(),
  }).nullable(),
  address: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()).describe("What more there is, without secrets"),
});
export type AuditEntry = z.infer<typeof AuditEntry>;
