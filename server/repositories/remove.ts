import { change } from "../change.ts";
import { AppError } from "../errors.ts";
import { needAdmin } from "../rights.ts";
import type { Actor, Server } from "../server.ts";

/** Forgets how to reach the repository; what is in it stays untouched. Refused while a host uses it. */
export async function removeRepository(server: Server, actor: Actor, id: string): Promise<void> {
  await change(server, actor, async ({ tx, audit }) => {
    const row = await tx.selectFrom("repositories").select(["name", "open_to_operators"])
      .where("id", "=", id).executeTakeFirst();
    if (!row) throw new AppError("not_found", "There is no such repository.");
    // With it goes the only stored copy of its password.
    if (row.open_to_operators !== 1) {
      const sentence = `${row.name} is not open to operators: only an admin removes it.`;
      needAdmin(actor, undefined, sentence);
    }
    const hosts = await tx.selectFrom("hosts").select("name").where("repository_id", "=", id)
      .limit(4).execute();
    if (hosts.length > 0) {
      throw new AppError(
        "conflict",
        `The repository is used by ${
          hosts.map((host) => host.name).join(", ")
        }; give these hosts another one first.`,
      );
    }
    await tx.deleteFrom("repositories").where("id", "=", id).execute();
    await audit({
      action: "repository.removed",
      target: { kind: "repository", id, name: row.name },
    });
  });
  server.trees.forget(id);
  server.previews.forget(id);
  server.comparisons.forget(id);
}
