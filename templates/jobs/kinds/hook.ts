import type { PageKind } from "./kind.ts";

export const hook: PageKind = {
  word: "hook",
  title: ({ source_group_name }) =>
    source_group_name === null
      ? ["Try of a default hook", null]
      : ["Try of a hook of", source_group_name],
  preposition: "on",
  succeeded: () => "The hook ended well.",
};
