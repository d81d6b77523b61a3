// People, where they are signed in, and their API tokens.
import { z } from "zod";
import { Time } from "./time.ts";

export const ROLES = ["admin", "operator", "viewer"] as const;
export type Role = typeof ROLES[number];

export const User = z.object({ id: z.string(), username: z.string(), role: z.enum(ROLES) });
export type User = z.infer<typeof User>;

export const Account = User.extend({
  disabled: z.boolean(),
  /** False until the user has followed the setup link. */
  has_password: z.boolean(),
  sessions: z.number(),
  tokens: z.number(),
  created_at: Time,
});
export type Account = z.infer<typeof Account>;

export const SignedIn = z.object({ user: User, csrf_token: z.string() });

export const SetupLink = z.object({ setup_url: z.string() });
export const InvitedUser = SetupLink.extend({ id: z.string() });

export const Session = z.object({
  id: z.string(),
  address: z.string().nullable(),
  created_at: Time,
  last_seen_at: Time,
  expires_at: Time,
  /** The one that asks. */
  current: z.boolean(),
});
export type Session = z.infer<typeof Session>;

export const ApiToken = z.object({
  id: z.string(),
  name: z.string(),
  created_at: Time,
  expires_at: Time.nullable(),
  last_used_at: Time.nullable(),
});
export type ApiToken = z.infer<typeof ApiToken>;

/** `token` is the secret, in this answer and never again. */
export const CreatedToken = ApiToken.pick({ id: true, expires_at: true }).extend({
  token: z.string(),
});
export type CreatedToken = z.infer<typeof CreatedToken>;
