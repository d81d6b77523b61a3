// A trial is a test that says what was done, what must happen and what was seen: `./dev attack` and `./dev fault` print all three.

export interface Trial {
  /** A row of a list, such as "S09" or "F11", or a promise, such as "promise 1". */
  id: string;
  /** The promise that must hold, in one sentence. */
  promise: string;
  done: string;
  expected: string;
}

export interface TrialResult extends Trial {
  seen: string[];
  held: boolean;
}

/** The variable that names the file to which the results of trials are added. */
export const TRIAL_REPORT = "RM_TEST_TRIAL_REPORT";

type Run = (see: (text: string) => void, t: Deno.TestContext) => Promise<void>;

/** Registers the trial as a test. `see` notes what was observed; `run` throws where the promise did not hold. */
export function trial(what: Trial, run: Run): void {
  Deno.test(`${what.id}: ${what.promise}`, async (t) => {
    const seen: string[] = [];
    let held = false;
    try {
      await run((text) => seen.push(text), t);
      // A trial that looked at nothing has shown nothing.
      if (seen.length === 0) throw new Error("the trial noted nothing that it saw");
      held = true;
    } catch (error) {
      seen.push(`NOT HELD: ${error instanceof Error ? error.message : error}`);
      throw error;
    } finally {
      await report({ ...what, seen, held });
    }
  });
}

/** What someone hostile does. */
export const attack = trial;
/** What breaks by itself. */
export const fault = trial;

async function report(result: TrialResult): Promise<void> {
  const file = Deno.env.get(TRIAL_REPORT);
  if (file) await Deno.writeTextFile(file, JSON.stringify(result) + "\n", { append: true });
}
