// What of a repository's access is a secret, and how a job's log is freed of it.
import { redactor } from "../../shared/redact.ts";
import { isSecretName } from "../../shared/repository_environment.ts";
import type { RepositoryAccess } from "../../shared/repository_access.ts";

type Access = RepositoryAccess | null | undefined;

/** Names of users, regions and keys are told: a region "home" must not turn /srv/home into /srv/***. */
export function redactorFor(
  accesses: Access[],
  snapshotHost: string | undefined,
): (text: string) => string {
  const given = accesses.filter((access) => access !== null && access !== undefined);
  const texts = given.flatMap(({ url, username }) => [url, username ?? ""]);
  return redactor(given.flatMap(secretsOf), [...texts, snapshotHost ?? ""]);
}

function secretsOf(access: RepositoryAccess): (string | null)[] {
  const { password, rest_password, username, environment } = access;
  const secret = Object.keys(environment).filter(isSecretName).map((name) => environment[name]!);
  return [password, rest_password, basicAuth(username, rest_password), ...secret];
}

/** As it is in an Authorization header, which a program may print while it shows nothing else of them. */
function basicAuth(username: string | null, password: string | null): string | null {
  if (!username || !password) return null;
  return new TextEncoder().encode(`${username}:${password}`).toBase64();
}
