// Loaded before a program (deno run --preload): the wall clock of that process alone is ahead by the milliseconds that a file
// says, read again ten times a second. The monotonic clock goes on as it is. The programs themselves know nothing of it.
const FILE = Deno.env.get("RM_TEST_CLOCK");

if (FILE) {
  let ahead = read(FILE);
  Deno.unrefTimer(setInterval(() => ahead = read(FILE), 100));
  const Real = Date;
  const now = () => Real.now() + ahead;
  globalThis.Date = new Proxy(Real, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    get: (target, name, receiver) => name === "now" ? now : Reflect.get(target, name, receiver),
  });
}

/** A file that is not there yet, or is being written, bends nothing. */
function read(file: string): number {
  try {
    return Number(Deno.readTextFileSync(file)) || 0;
  } catch {
    return 0;
  }
}
