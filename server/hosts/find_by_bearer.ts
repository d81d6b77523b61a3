// Which host an agent speaks for.
import { sha256 } from "../random.ts";
import type { Server } from "../server.ts";

export interface KnownHost {
  id: string;
  name: string;
  bearerHash: Uint8Array;
}

/** The host whose bearer this is. */
export async function findByBearer(server: Server, bearer: string): Promise<KnownHost | undefined> {
  const bearerHash = sha256(bearer);
  const host = await server.db.selectFrom("hosts").select(["id", "name"])
    // The second is that of a machine which an admin chose of two with one identity.
    .where((is) =>
      is.or([is("bearer_hash", "=", bearerHash), is("next_bearer_hash", "=", bearerHash)])
    )
    .executeTakeFirst();
  return host && { ...host, bearerHash };
}
