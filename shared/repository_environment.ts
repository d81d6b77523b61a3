// The environment variables that may be stored with a repository: what its backend, ssh or rclone needs to reach it. None of
// them names a program to run (RESTIC_PASSWORD_COMMAND, RCLONE_PASSWORD_COMMAND), and none defines an rclone remote, which may
// run one. Names: restic's manual, "Environment Variables", and the manuals of rclone and of the clouds.

/** Taken as they are. */
const VALUE_NAMES = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_DEFAULT_REGION",
  "AWS_REGION",
  "AWS_PROFILE",
  "AWS_ROLE_ARN",
  "AWS_ROLE_SESSION_NAME",
  "RESTIC_AWS_ASSUME_ROLE_ARN",
  "RESTIC_AWS_ASSUME_ROLE_SESSION_NAME",
  "RESTIC_AWS_ASSUME_ROLE_EXTERNAL_ID",
  "RESTIC_AWS_ASSUME_ROLE_REGION",
  "B2_ACCOUNT_ID",
  "B2_ACCOUNT_KEY",
  "AZURE_ACCOUNT_NAME",
  "AZURE_ACCOUNT_KEY",
  "AZURE_ACCOUNT_SAS",
  "AZURE_ENDPOINT_SUFFIX",
  "AZURE_TENANT_ID",
  "AZURE_CLIENT_ID",
  "AZURE_CLIENT_SECRET",
  "GOOGLE_PROJECT_ID",
  "GOOGLE_ACCESS_TOKEN",
  "OS_AUTH_URL",
  "OS_REGION_NAME",
  "OS_USERNAME",
  "OS_USER_ID",
  "OS_PASSWORD",
  "OS_TENANT_ID",
  "OS_TENANT_NAME",
  "OS_USER_DOMAIN_NAME",
  "OS_USER_DOMAIN_ID",
  "OS_PROJECT_NAME",
  "OS_PROJECT_DOMAIN_NAME",
  "OS_PROJECT_DOMAIN_ID",
  "OS_TRUST_ID",
  "OS_APPLICATION_CREDENTIAL_ID",
  "OS_APPLICATION_CREDENTIAL_NAME",
  "OS_APPLICATION_CREDENTIAL_SECRET",
  "OS_STORAGE_URL",
  "OS_AUTH_TOKEN",
  "SWIFT_DEFAULT_CONTAINER_POLICY",
  "ST_AUTH",
  "ST_USER",
  "ST_KEY",
  "RCLONE_CONFIG_PASS",
  "RESTIC_COMPRESSION",
  "RESTIC_PACK_SIZE",
  "RESTIC_READ_CONCURRENCY",
] as const;

/**
 * Paths of files on the host. What is in such a file may run a program (a credential_process, a remote of rclone), so only
 * admins set them, and the agent takes only a file that nobody but root can write.
 */
export const FILE_NAMES = [
  "AWS_CONFIG_FILE",
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AZURE_FEDERATED_TOKEN_FILE",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "RCLONE_CONFIG",
  "RESTIC_TLS_CLIENT_CERT",
] as const;

/**
 * Those that say where a storage or its sign-in is, by address or by a part of one. A secret that
 * was entered for one place must not be sent to another, so anyone who changes one of these enters the secrets again.
 */
export const ENDPOINT_NAMES: readonly string[] = [
  "AWS_DEFAULT_REGION",
  "AWS_REGION",
  "RESTIC_AWS_ASSUME_ROLE_REGION",
  "AZURE_ACCOUNT_NAME",
  "AZURE_ENDPOINT_SUFFIX",
  "OS_AUTH_URL",
  "OS_REGION_NAME",
  "OS_STORAGE_URL",
  "ST_AUTH",
] satisfies typeof VALUE_NAMES[number][];

export const ENVIRONMENT_NAMES = [...VALUE_NAMES, ...FILE_NAMES].sort();
export type EnvironmentName = typeof ENVIRONMENT_NAMES[number];

export function isFileName(name: string): boolean {
  return (FILE_NAMES as readonly string[]).includes(name);
}

/** Whether the value of an environment variable is a secret: names of keys, regions and users are not. */
export function isSecretName(name: string): boolean {
  return /(?:KEY|SECRET|TOKEN|PASSWORD|PASSPHRASE|PASS|SAS)$/.test(name);
}
