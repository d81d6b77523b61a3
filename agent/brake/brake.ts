// What the owner of this machine allows, whatever the server orders: four fields of agent.yaml, which only root writes and the
// server never changes. They are read once, when the agent starts.
import { z } from "zod";
import type { Brakes } from "../../shared/protocol.ts";
import { readGlob } from "./repository_glob.ts";
import { isAbsoluteHere } from "./roots.ts";

export interface Brake {
  allowHooks: boolean;
  allowRestoreInPlace: boolean;
  /** Absolute folders; null: everything. An empty list: nothing. */
  roots: string[] | null;
  /** Globs as they are written; null: all. An empty list: none. */
  repositories: string[] | null;
}

export const NO_BRAKE: Brake = {
  allowHooks: true,
  allowRestoreInPlace: true,
  roots: null,
  repositories: null,
};

const allowed = z.boolean("must be true or false; without this line it is allowed").optional();

const root = z.string("must be an absolute folder, such as /home").max(4096)
  .refine(
    isAbsoluteHere,
    "must be an absolute folder such as /home, on Windows C:\\Users or \\\\server\\share",
  )
  .refine((text) => !/[*?]|\p{Cc}/u.test(text), "must be a folder, without * and ?")
  .refine((text) => !/(^|[\\/])\.\.([\\/]|$)/.test(text), "must be written without ..");

const glob = z.string("must be an address as restic takes it").max(2048).superRefine(
  (text, context) => {
    try {
      readGlob(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
    }
  },
);

/** Of agent.yaml. A line that cannot be read is an error and never no brake: the agent then does not run. */
export const BRAKE_FIELDS = {
  allow_hooks: allowed,
  allow_restore_in_place: allowed,
  roots: z.array(root, "must be a list of absolute folders, such as [/home, /srv]; [] allows none")
    .max(100, "must be at most 100 folders").optional(),
  repositories: z.array(
    glob,
    "must be a list of addresses in which * stands for any part, such as [rest:https://backup.example.org/*]; [] allows none",
  ).max(100, "must be at most 100 addresses").optional(),
};
export const BRAKE_NAMES = Object.keys(BRAKE_FIELDS) as (keyof typeof BRAKE_FIELDS)[];

const Fields = z.object(BRAKE_FIELDS);

/** The brake in an agent.yaml that was read. */
export function brakeOf(file: z.infer<typeof Fields>): Brake {
  return {
    allowHooks: file.allow_hooks ?? true,
    allowRestoreInPlace: file.allow_restore_in_place ?? true,
    roots: file.roots ?? null,
    repositories: file.repositories ?? null,
  };
}

/** What the server is told, to be shown there; undefined where everything is allowed. */
export function reportOf(brake: Brake): Brakes | undefined {
  const { allowHooks, allowRestoreInPlace, roots, repositories } = brake;
  if (allowHooks && allowRestoreInPlace && !roots && !repositories) return undefined;
  return {
    allow_hooks: allowHooks,
    allow_restore_in_place: allowRestoreInPlace,
    roots,
    repositories,
  };
}
