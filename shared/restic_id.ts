// What restic calls things: hex digits.
import { z } from "zod";

/** The id in a repository's config: 64 hex digits in every version of restic. */
export const ResticId = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hex digits");

export const lockId = z.string().regex(/^[0-9a-f]{8,64}$/);

export const fullSnapshotId = z.string().regex(/^[0-9a-f]{64}$/);
