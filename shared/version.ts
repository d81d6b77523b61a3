/** The version of both programs. A build writes the commit and its date beside it. */
export const VERSION = "0.1.0";
