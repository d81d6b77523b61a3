// What a job is asked beyond its kind: stored with it as JSON, and read by the schema of its kind.
import { z } from "zod";

type Asked = { request: string | null };

/** Throws when what is stored is no such request. */
export function requestOf<S extends z.ZodType>(job: Asked, schema: S): z.infer<S> {
  return schema.parse(JSON.parse(job.request ?? "{}"));
}

const DryRun = z.object({ dry_run: z.boolean().optional() });

/** Whether it only says what it would do. */
export function isDryRun(job: Asked): boolean {
  return requestOf(job, DryRun).dry_run === true;
}
