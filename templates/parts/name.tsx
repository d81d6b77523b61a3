// Names that others chose: kept from turning the text around them (bdi) and from breaking the layout.
import { middleCut } from "../format.ts";
import { visible } from "../../shared/redact.ts";

export function Name({ text }: { text: string }) {
  // Plain ASCII turns nothing around, and a list of fifty hosts has 150 names.
  return /^[\x20-\x7e]*$/.test(text) ? <>{text}</> : <bdi>{visible(text)}</bdi>;
}

/** A list has fifty rows, and a reason may have 2,000 letters. */
const TITLE_LIMIT = 120;

/** What stands behind a text that may be cut off; nothing for one that is shown whole anyway. */
export function titleOf(text: string | null | undefined, shownWhole = 24): string | undefined {
  return text && text.length > shownWhole ? visible(middleCut(text, TITLE_LIMIT)) : undefined;
}

const TAG_LIMIT = 24;

/** The style of a tag keeps it from turning the text around it, as bdi does. */
export function Tags({ tags, link }: { tags: string[]; link?: (tag: string) => string }) {
  return (
    <>
      {tags.map((tag) =>
        link
          ? (
            <a class="tag" href={link(tag)} title={titleOf(tag, 14)}>
              {visible(middleCut(tag, TAG_LIMIT))}
            </a>
          )
          : (
            <span class="tag" title={titleOf(tag, 14)}>
              {visible(middleCut(tag, TAG_LIMIT))}
            </span>
          )
      )}
    </>
  );
}
