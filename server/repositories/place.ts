// Where a repository is, under whatever name the endpoint goes: its address, and the variables and options that move it.
import { ENDPOINT_NAMES } from "../../shared/repository_environment.ts";
import { ENDPOINT_OPTIONS } from "../../shared/repository_options.ts";
import { AppError } from "../errors.ts";

export interface Place {
  url_normalised: string;
  environment: Record<string, string>;
  options: Record<string, string>;
}

/** The field that makes it another place, or undefined when it is the same. */
export function movedBy(before: Place, after: Place): string | undefined {
  if (before.url_normalised !== after.url_normalised) return "url";
  const isOther = (kind: "environment" | "options") => (name: string) =>
    before[kind][name] !== after[kind][name];
  if (ENDPOINT_NAMES.some(isOther("environment"))) return "environment";
  return ENDPOINT_OPTIONS.some(isOther("options")) ? "options" : undefined;
}

/**
 * What was entered for one place must not be sent to another by someone who never knew it: it is given again. The
 * repository's own password never leaves the machine that runs restic. Throws invalid.
 */
export function refuseKeptSecrets(
  stored: { rest_password_sealed: Uint8Array | null; environment_sealed: Uint8Array | null },
  input: {
    rest_password?: string | null | undefined;
    environment?: Record<string, string | null> | undefined;
  },
  field: string,
): void {
  const why = field === "url"
    ? "because the address is another one"
    : `because ${field} names another place`;
  if (stored.rest_password_sealed && !input.rest_password) {
    const sentence = `rest_password must be entered again, ${why}.`;
    throw new AppError("invalid", sentence, "rest_password");
  }
  const kept = input.environment === undefined || Object.values(input.environment).includes(null);
  if (stored.environment_sealed && kept) {
    const sentence = `environment must be entered again with its values, ${why}.`;
    throw new AppError("invalid", sentence, "environment");
  }
}
