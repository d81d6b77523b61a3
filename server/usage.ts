/** The command line is wrong: the message says what is accepted; exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}
