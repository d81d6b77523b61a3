// What a retention that is only tried may say.
import { keepsEverything, Retention } from "../../shared/retention.ts";

export const PreviewedRetention = Retention.refine(
  (policy) => !keepsEverything(policy),
  "must keep something: an empty policy keeps everything, so there is nothing to show",
);
