// Who did something.
import { z } from "zod";

export const ACTOR_KINDS = ["user", "schedule", "system", "agent"] as const;
export type ActorKind = typeof ACTOR_KINDS[number];

export const NamedActor = z.object({
  kind: z.enum(ACTOR_KINDS),
  id: z.string().nullable(),
  name: z.string(),
});
export type NamedActor = z.infer<typeof NamedActor>;
