import { ofRepository, type PageKind } from "./kind.ts";

export const check: PageKind = {
  word: "check",
  title: ofRepository("Check repository"),
  preposition: "from",
  succeeded: () => "The check found no errors.",
};
