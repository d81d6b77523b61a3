/** The database file is damaged, of another version, or used by another server. The message says which and what to do. */
export class DatabaseError extends Error {
  override name = "DatabaseError";
}
