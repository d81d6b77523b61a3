import { messageOf } from "../shared/log.ts";
import { WrongSetting } from "./settings.ts";

/**
 * Deno by itself trusts Mozilla's authorities only; with this also those of the system, such as one that a company put
 * there. To be called before the first connection.
 */
export function trustSystemAuthorities(): void {
  if (Deno.env.get("DENO_TLS_CA_STORE")) return;
  Deno.env.set("DENO_TLS_CA_STORE", "system,mozilla");
}

/** For a server whose certificate leads to an authority of one's own. Throws WrongSetting. */
export function clientFor(certificateAuthority: string | undefined): Deno.HttpClient | undefined {
  if (!certificateAuthority) return undefined;
  try {
    return Deno.createHttpClient({ caCerts: [Deno.readTextFileSync(certificateAuthority)] });
  } catch (error) {
    throw new WrongSetting(
      `certificate_authority: ${certificateAuthority} cannot be used: ${messageOf(error)}.`,
    );
  }
}
