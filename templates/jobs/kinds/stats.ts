import { ofRepository, type PageKind } from "./kind.ts";

export const stats: PageKind = {
  word: "size",
  title: ofRepository("Size of repository"),
  preposition: "from",
  succeeded: () => "Done.",
};
