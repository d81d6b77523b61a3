// What a machine that nobody knows may do: enough for honest ones, and nothing that keeps others out.

/** Announcements a minute from one source. */
export const ANNOUNCEMENTS_PER_MINUTE = 10;
/** Signatures a minute from one source that did not verify. */
export const WRONG_PROOFS_PER_MINUTE = 10;
export const PENDING_LIMIT = 100;
/** Of these from one source: it alone must not fill the table. */
export const PENDING_PER_SOURCE = 20;
/** A pending host that was not seen for so long is gone. */
export const UNSEEN_MILLISECONDS = 3_600_000;
/** Sockets that are proving one pending host's key at the same time. */
export const PROVING_AT_ONCE = 2;
/** A rejected key may not announce again for so long. */
export const REJECTED_MILLISECONDS = 86_400_000;
