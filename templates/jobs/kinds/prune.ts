import { ofRepository, type PageKind } from "./kind.ts";

export const prune: PageKind = {
  word: "prune",
  title: ofRepository("Prune repository"),
  preposition: "from",
  succeeded: () => "Done.",
};
