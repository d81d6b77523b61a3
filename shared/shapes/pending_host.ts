// Machines that ask to join without a token, and those that were rejected.
import { z } from "zod";
import { Time } from "./time.ts";

export const PendingHost = z.object({
  id: z.string(),
  hostname: z.string(),
  os: z.string(),
  arch: z.string(),
  agent_version: z.string(),
  restic_version: z.string().nullable(),
  fingerprint: z.string(),
  announced_from_ip: z.string(),
  first_seen_at: Time,
  last_seen_at: Time,
  expires_at: Time,
  /** Another host, or another pending one, has this name. */
  hostname_collision: z.boolean(),
  /** The name of a host, or of another pending one, that looks the same and is written otherwise. */
  looks_like: z.string().nullable(),
  /** What about its name deceives eyes, with the characters' code points: "mixes scripts (…)". */
  name_warning: z.string().nullable(),
  /** When it last showed that it holds the key; null: never. Afterwards what stands here changes only with such a proof. */
  proven_at: Time.nullable(),
  /** The server as it dialled it, as far as it said. */
  dialled: z.string().nullable(),
  /** What goes between it and the server can be read on the way, its credential too: no TLS. */
  plain_http: z.boolean(),
  /** One more with each change of what stands here; an acceptance may name the one that was seen. */
  revision: z.number(),
  /** Its socket is open now, with a proven key. */
  connected: z.boolean(),
});
export type PendingHost = z.infer<typeof PendingHost>;

export const RejectedKey = z.object({
  id: z.string(),
  hostname: z.string(),
  fingerprint: z.string(),
  announced_from_ip: z.string(),
  rejected_by: z.string(),
  rejected_at: Time,
  /** When it may announce itself again. */
  expires_at: Time,
});
export type RejectedKey = z.infer<typeof RejectedKey>;

/** What an agent without a token is answered. */
export const Announced = z.object({
  fingerprint: z.string(),
  pending_id: z.string(),
  /** Another host, or another pending one, has the same name. */
  hostname_collision: z.boolean(),
  /** A proof for the server as it was dialled will be refused here, and this is why. */
  address_problem: z.string().optional(),
});
export type Announced = z.infer<typeof Announced>;

/** `repository_password` only where the server made one: the one time that it is shown. */
export const AcceptedHost = z.object({
  host_id: z.string(),
  name: z.string(),
  repository_id: z.string(),
  warnings: z.array(z.string()),
  repository_password: z.string().optional(),
});
