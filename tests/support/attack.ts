// An attack is a test that says what was done, what must happen and what was seen: `./dev attack` prints all three.

export interface Attack {
  /** A row of attacks, such as "S09", or a promise, such as "promise 1". */
  id: string;
  /** The promise that must hold, in one sentence. */
  promise: string;
  done: string;
  expected: string;
}

export interface AttackResult extends Attack {
  seen: string[];
  held: boolean;
}

/** The variable that names the file to which the results of attacks are added. */
export const ATTACK_REPORT = "RM_TEST_ATTACK_REPORT";

/** Registers the attack as a test. `see` notes what was observed; `run` throws where the promise did not hold. */
export function attack(
  what: Attack,
  run: (see: (text: string) => void, t: Deno.TestContext) => Promise<void>,
): void {
  Deno.test(`${what.id}: ${what.promise}`, async (t) => {
    const seen: string[] = [];
    let held = false;
    try {
      await run((text) => seen.push(text), t);
      held = true;
      // An attack that looked at nothing has shown nothing.
      if (seen.length === 0) throw new Error("the attack noted nothing that it saw");
    } catch (error) {
      seen.push(`NOT HELD: ${error instanceof Error ? error.message : error}`);
      throw error;
    } finally {
      await report({ ...what, seen, held });
    }
  });
}

async function report(result: AttackResult): Promise<void> {
  const file = Deno.env.get(ATTACK_REPORT);
  if (file) await Deno.writeTextFile(file, JSON.stringify(result) + "\n", { append: true });
}
