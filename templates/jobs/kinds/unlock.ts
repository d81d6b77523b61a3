import { placesOf } from "../places.ts";
import { ofRepository, type PageKind } from "./kind.ts";

export const unlock: PageKind = {
  word: "unlock",
  title: ofRepository("Unlock repository"),
  preposition: "from",
  succeeded: () => "Stale locks are removed.",

  nextStep(job) {
    if (job.reason_code !== "locked") return null;
    return {
      sentence:
        "A lock whose holder may live is left alone until it is half an hour old. Look on that machine; when its restic is surely dead, an admin can remove every lock on the repository's page.",
      href: `${placesOf(job).repository}#locks`,
      label: "Look at the locks",
    };
  },
};
