import type { PageKind } from "./kind.ts";

export const hook: PageKind = {
  word: "hook",
  title: ({ groupName }) =>
    groupName === null ? ["Try of a default hook", null] : ["Try of a hook of", groupName],
  preposition: "on",
  succeeded: () => "The hook ended well.",
};
