// What somebody at this machine reads. A pipe or a terminal that is gone is no reason to leave a restore half done.

const encoder = new TextEncoder();

/** A line on stdout. Never throws. */
export function say(text: string): void {
  write(Deno.stdout, `${text}\n`);
}

/** A line on stderr: why there is nothing, or not all of it. Never throws. */
export function complain(text: string): void {
  write(Deno.stderr, `${text}\n`);
}

/** The state of things, over what was there of it. Never throws. */
export function sayOver(text: string): void {
  write(Deno.stdout, `\r${text}   `);
}

function write(to: typeof Deno.stdout, text: string): void {
  try {
    let bytes = encoder.encode(text);
    while (bytes.length > 0) bytes = bytes.subarray(to.writeSync(bytes));
  } catch {
    // Nobody reads it any more, and there is no other place to say so.
  }
}
