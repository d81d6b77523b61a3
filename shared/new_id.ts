import { v7 } from "uuid";

/** A new id (UUID version 7, RFC 9562): unguessable enough to be unique, and sorted by the time it was made. */
export const newId = (): string => v7();
