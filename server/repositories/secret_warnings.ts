import { ordinaryWarning } from "../../shared/ordinary_secret.ts";
import { isSecretName } from "../../shared/repository_environment.ts";

export interface GivenSecrets {
  name?: string | undefined;
  url?: string | undefined;
  username?: string | null | undefined;
  password?: string | null | undefined;
  rest_password?: string | null | undefined;
  environment?: Record<string, string | null> | undefined;
}

/** A sentence for each secret of a request that would mask ordinary text in logs. They are taken all the same. */
export function secretWarnings(given: GivenSecrets): string[] {
  const texts = [given.url, given.name, given.username].filter((text) => typeof text === "string");
  const secrets: [string, string | null | undefined][] = [
    ["password", given.password],
    ["rest_password", given.rest_password],
    ...Object.entries(given.environment ?? {}).filter(([name]) => isSecretName(name))
      .map(([name, value]): [string, string | null] => [`environment.${name}`, value]),
  ];
  return secrets.flatMap(([field, secret]) => ordinaryWarning(field, secret, texts) ?? []);
}

/** The same for a page's one line above all else. */
export function warningFlash(
  text: string,
  warnings: string[],
): { state?: "warn"; text: string } {
  const [first, ...more] = warnings;
  if (!first) return { text };
  const rest = more.length > 0 ? ` (And ${more.length} more like it.)` : "";
  return { state: "warn", text: `${text} ${first}${rest}`.trim() };
}
