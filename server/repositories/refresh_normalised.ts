import { parseRepositoryUrl } from "../../shared/repository_url.ts";
import type { Server } from "../server.ts";

/**
 * Addresses that an earlier version has stored are normalised as this one does it, and the leases of their jobs go with
 * them. One that is refused today stays as it is: its hosts say why, and a person writes the right form.
 */
export async function refreshNormalised({ db }: Server): Promise<void> {
  const rows = await db.selectFrom("repositories").select(["id", "url", "url_normalised"])
    .execute();
  for (const { id, url, url_normalised: before } of rows) {
    const now = normalised(url);
    if (now === undefined || now === before) continue;
    await db.transaction().execute(async (tx) => {
      await tx.updateTable("repositories").set({ url_normalised: now }).where("id", "=", id)
        .execute();
      await tx.updateTable("leases").set({ repository_url: now, address: now })
        .where("repository_url", "=", before)
        .where(
          "job_id",
          "in",
          (query) => query.selectFrom("jobs").select("id").where("repository_id", "=", id),
        )
        // Another job may hold the new key already: two of them held what is one place all along.
        .where((where) =>
          where.not(where.exists(
            where.selectFrom("leases as taken").select("taken.job_id")
              .where("taken.repository_url", "=", now),
          ))
        ).execute();
    });
  }
}

function normalised(url: string): string | undefined {
  try {
    return parseRepositoryUrl(url).normalised;
  } catch {
    return undefined;
  }
}
