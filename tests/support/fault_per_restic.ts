import { type RealRestic, restics } from "./restic.ts";
import { fault, type Trial } from "./trial.ts";

/** The same fault with each real restic that was found. */
export function faultPerRestic(
  what: Trial,
  run: (restic: RealRestic, see: (text: string) => void) => Promise<void>,
): void {
  for (const restic of restics) {
    const version = restic.version.split(".").slice(0, 2).join(".");
    fault(
      { ...what, promise: `${what.promise} (restic ${version})` },
      (see) => run(restic, see),
    );
  }
}
