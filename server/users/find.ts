import type { Role } from "../database/tables.ts";
import type { Server } from "../server.ts";

export interface User {
  id: string;
  username: string;
  role: Role;
}

export async function hasUsers({ db }: Server): Promise<boolean> {
  return await db.selectFrom("users").select("id").limit(1).executeTakeFirst() !== undefined;
}

export async function findUserByName({ db }: Server, username: string): Promise<User | undefined> {
  return await db.selectFrom("users").select(["id", "username", "role"])
    .where("username", "=", username).executeTakeFirst();
}
