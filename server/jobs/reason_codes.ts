/** The reason code of a job that waited too long. Its agent must not begin it any more. */
export const WAITED_TOO_LONG = "waited_too_long";

/** The reason code of a job whose lease an admin gave to others: it must not go on, and what it came to is not known. */
export const LEASE_RELEASED = "lease_released";

/** The server only presumed the end: what the agent says later replaces it. */
export const PRESUMED = "presumed";
