import { z } from "zod";
import { cron, id, secret, storageUser } from "../../shared/fields.ts";
import { ENVIRONMENT_NAMES } from "../../shared/repository_environment.ts";

const task = { enabled: z.boolean("must be true or false"), cron };

export const MaintenanceInput = z.strictObject({
  forget: z.strictObject(task).optional(),
  prune: z.strictObject(task).optional(),
  check: z.strictObject({
    ...task,
    read_data_percent: z.number("must be a number from 0 to 100").min(0, "must be from 0 to 100")
      .max(100, "must be from 0 to 100").refine(
        (percent) => percent === 0 || percent >= 0.1,
        "must be 0 (nothing) or from 0.1 to 100",
      ).optional(),
  }).optional(),
  /** The hosts that may hold the admin credential, and no others. Admins only. */
  host_ids: z.array(id, "must be a list of hosts' ids").max(100, "must be at most 100 hosts")
    .optional(),
});
export type MaintenanceInput = z.infer<typeof MaintenanceInput>;

const environment = z.record(z.string(), secret(8192), "must be names with values").refine(
  (record) =>
    Object.keys(record).every((name) => (ENVIRONMENT_NAMES as readonly string[]).includes(name)),
  `takes only the names ${ENVIRONMENT_NAMES.join(", ")}`,
);

/** The credential that may delete. With everyday: true it is the everyday one, where that may delete too. */
export const AdminCredentialInput = z.strictObject({
  everyday: z.boolean("must be true or false").optional(),
  username: storageUser.nullable().optional(),
  rest_password: secret().nullable().optional(),
  environment: environment.optional(),
});
export type AdminCredentialInput = z.infer<typeof AdminCredentialInput>;
