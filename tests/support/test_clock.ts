// A server's clocks in a test's hands.
import { MACHINE, type TimeSource } from "../../server/clock.ts";

/** A server counts no more than five seconds as run between two looks. */
const STEP = 4000;

export class TestClock implements TimeSource {
  /** What someone set the wall clock forwards by, with no time passing; negative: back. */
  wall = 0;
  #passed = 0;
  #slept = 0;
  #upBefore = 0;
  /** The server's, once it runs. */
  onStep: () => void = () => {};

  now = (): number => MACHINE.now() + this.wall + this.#passed + this.#slept;
  elapsed = (): number => MACHINE.elapsed() + this.#passed;
  uptime = (): number => MACHINE.uptime() + this.#passed + this.#slept - this.#upBefore;

  /** Time passes, in milliseconds, on all clocks, while the server runs. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= STEP) {
      this.#passed += Math.min(STEP, left);
      this.onStep();
    }
  }

  /** The machine, or the server alone, stands still for so long; then all clocks but the server's own are ahead. */
  sleep(ms: number): void {
    this.#passed += ms;
  }

  /** The machine sleeps, and knows of it: its monotonic clock stands still meanwhile. */
  suspend(ms: number): void {
    this.#slept += ms;
  }

  /** Between two runs of the server: the machine is started again. */
  reboot(): void {
    this.#upBefore = this.uptime() + this.#upBefore - 5000;
  }

  /** How much has passed so far. */
  get passed(): number {
    return this.#passed;
  }

  /** Time passes until so much of it has passed since the server's start. */
  passUntil(ms: number): void {
    if (ms < this.#passed) throw new Error("time does not go back: set `wall`");
    this.pass(ms - this.#passed);
  }
}
