import { messageOf } from "./log.ts";
import { WrongSetting } from "./settings.ts";

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
