import { z } from "zod";
import { certificateAuthority } from "../../shared/certificate.ts";
import { absolutePath, name, secret, storageUser } from "../../shared/fields.ts";
import { ENVIRONMENT_NAMES, isFileName } from "../../shared/repository_environment.ts";
import { RepositoryOptions } from "../../shared/repository_options.ts";
import { parseRepositoryUrl } from "../../shared/repository_url.ts";

const url = z.string("must be text").superRefine((text, context) => {
  try {
    parseRepositoryUrl(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
}).transform((text) => parseRepositoryUrl(text).url);

const environmentName = z.enum(ENVIRONMENT_NAMES, {
  error: `must be one of ${ENVIRONMENT_NAMES.join(", ")}`,
});

/** As JSON: it travels to the hosts with all else that they are told of the repository. */
const ENVIRONMENT_CHARACTERS = 400_000;

/** null keeps the value that is stored under that name; a name that is left out is removed. */
const environment = z.record(z.string(), secret(8192).nullable(), "must be names with values")
  .superRefine((record, context) => {
    if (JSON.stringify(record).length > ENVIRONMENT_CHARACTERS) {
      const message = `must be at most ${ENVIRONMENT_CHARACTERS} characters together`;
      context.addIssue({ code: "custom", message });
    }
    for (const [key, value] of Object.entries(record)) {
      if (isFileName(key) && value !== null && !absolutePath.safeParse(value).success) {
        context.addIssue({
          code: "custom",
          path: [key],
          message: "must be the absolute path of a file on the host",
        });
      }
      if (environmentName.safeParse(key).success) continue;
      context.addIssue({
        code: "custom",
        message: `does not take ${JSON.stringify(key.slice(0, 64))}; accepted names: ${
          ENVIRONMENT_NAMES.join(", ")
        }`,
      });
    }
  });

const common = {
  name,
  url,
  /** The user of a REST repository. */
  username: storageUser.nullable().optional(),
  rest_password: secret().nullable().optional(),
  environment: environment.optional(),
  /** PEM; null for none. Admins only. */
  certificate_authority: certificateAuthority.nullable().optional(),
  /** Extended options of restic. Admins only. */
  options: RepositoryOptions.optional(),
  append_only: z.boolean("must be true or false").optional(),
  /** Operators may bind hosts to it and change how it is reached. Admins only; what an operator makes is open. */
  open_to_operators: z.boolean("must be true or false").optional(),
};

/** Without a password a strong one is made, where the repository is new. */
export const NewRepository = z.strictObject({
  ...common,
  password: secret().nullable().optional(),
  is_new: z.boolean("must be true (make a repository there) or false (open the one that is there)"),
});
export type NewRepository = z.infer<typeof NewRepository>;

/** Secrets that are left out or null stay as they are. */
export const ChangedRepository = z.strictObject({
  ...common,
  password: secret().nullable().optional(),
  is_new: z.boolean("must be true or false").optional(),
});
export type ChangedRepository = z.infer<typeof ChangedRepository>;
