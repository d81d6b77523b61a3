import { ofRepository, type PageKind } from "./kind.ts";

export const init: PageKind = {
  word: "open or make",
  title: ofRepository("Open or make repository"),
  preposition: "from",
  succeeded: () => "The repository is ready.",

  otherwise: ({ status }) =>
    status === "succeeded"
      ? null
      : { sentence: "Read the log below, then try again.", kind: "init", label: "Try again" },
};
