/** The reason code of a job that waited too long. Its agent must not begin it any more. */
export const WAITED_TOO_LONG = "waited_too_long";
