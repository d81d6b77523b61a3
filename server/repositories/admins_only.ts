// What of a repository's access only admins set: it points at files on hosts, or changes whom restic trusts.
import { FILE_NAMES } from "../../shared/repository_environment.ts";
import { AppError } from "../errors.ts";
import type { Actor } from "../server.ts";

interface Given {
  environment?: Record<string, string | null> | undefined;
  certificate_authority?: string | null | undefined;
  options?: Record<string, string> | undefined;
  open_to_operators?: boolean | undefined;
}

interface Stored {
  certificate_authority: string | null;
  options: string;
  open_to_operators: number;
}

/** Throws forbidden with the field. A null value keeps what is stored, and what is as it was may be sent again. */
export function refuseUnlessAdmin(
  actor: Actor,
  given: Given,
  // What an operator makes himself is open.
  stored: Stored = { certificate_authority: null, options: "{}", open_to_operators: 1 },
): void {
  if (actor.role === "admin") return;
  for (const name of FILE_NAMES) {
    if (typeof given.environment?.[name] === "string") {
      throw forbidden(`environment.${name}`, "names a file on the hosts, and");
    }
  }
  const { certificate_authority, options, open_to_operators: open } = given;
  if (open !== undefined && open !== (stored.open_to_operators === 1)) {
    throw forbidden("open_to_operators", "says what operators may do, and");
  }
  if (
    certificate_authority !== undefined && certificate_authority !== stored.certificate_authority
  ) {
    throw forbidden("certificate_authority", "decides whom restic trusts, and");
  }
  if (
    options &&
    JSON.stringify(sorted(options)) !== JSON.stringify(sorted(JSON.parse(stored.options)))
  ) {
    throw forbidden("options", "changes how restic runs, and");
  }
}

function sorted(options: Record<string, string>): [string, string][] {
  return Object.entries(options).sort(([a], [b]) => a < b ? -1 : 1);
}

function forbidden(field: string, why: string): AppError {
  return new AppError("forbidden", `${field} ${why} may only be set by an admin.`, field);
}
