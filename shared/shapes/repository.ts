// A repository; its secrets are never in it.
import { z } from "zod";
import { NamedHost } from "./host.ts";
import { Time } from "./time.ts";

/** The id that restic gave the repository when it was made, at one place. */
export const PlaceId = z.object({
  /** null: under this address all hosts reach the same place. */
  host_id: z.string().nullable(),
  restic_id: z.string(),
  /** Another one that a host has reported since; a person is asked which is right. */
  changed: z.object({
    restic_id: z.string(),
    host_id: z.string(),
    host_name: z.string(),
    at: Time,
  }).nullable(),
});
export type PlaceId = z.infer<typeof PlaceId>;

export const Repository = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  username: z.string().nullable(),
  password_set: z.boolean(),
  rest_password_set: z.boolean(),
  environment_names: z.array(z.string()),
  append_only: z.boolean(),
  certificate_authority: z.string().nullable(),
  options: z.record(z.string(), z.string()),
  open_to_operators: z.boolean(),
  is_new: z.boolean(),
  initialised_at: Time.nullable(),
  total_size: z.number().nullable().describe("Bytes"),
  restore_size: z.number().nullable().describe("Bytes"),
  snapshots_count: z.number().nullable(),
  admin_credential_set: z.boolean(),
  stats_at: Time.nullable(),
  created_at: Time,
  updated_at: Time,
  hosts: z.array(NamedHost),
  restic_ids: z.array(PlaceId),
  /** Others with the same id: the same repository under another address, or a copy of it. */
  same_as: z.array(z.object({ id: z.string(), name: z.string(), url: z.string() })),
}).meta({ id: "Repository" });
export type Repository = z.infer<typeof Repository>;

const warnings = z.array(z.string())
  .describe("A sentence for each given secret that would mask ordinary text in logs");

/** After a change of it. */
export const ChangedRepository = z.object({ ...Repository.shape, warnings });

/** `repository_password` only where the server made one: the one time that it is shown. */
export const CreatedRepository = ChangedRepository.extend({
  repository_password: z.string().optional(),
});
