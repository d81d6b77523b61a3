// What it takes to open a repository.
import { z } from "zod";
import { id } from "./fields.ts";

/** The repository credential: may add, and where the repository allows more, is not used for it. */
export const RepositoryAccess = z.object({
  id,
  url: z.string().max(2048),
  password: z.string().min(1),
  username: z.string().nullable(),
  rest_password: z.string().nullable(),
  environment: z.record(z.string(), z.string()),
  /** PEM. */
  certificate_authority: z.string().max(65_536).optional(),
  /** Extended options of restic; the agent runs nothing with one that could run a program. */
  options: z.record(z.string().max(100), z.string().max(1000)).optional(),
});

export type RepositoryAccess = z.infer<typeof RepositoryAccess>;
