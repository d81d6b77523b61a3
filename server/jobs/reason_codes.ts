/** The reason code of a job that waited too long. Its agent must not begin it any more. */
export const WAITED_TOO_LONG = "waited_too_long";

/** The server only presumed the end: what the agent says later replaces it. */
export const PRESUMED = "presumed";
