// Names that others chose: kept from turning the text around them (bdi) and from breaking the layout.
import { visible } from "../../shared/redact.ts";

export function Name({ text }: { text: string }) {
  return <bdi>{visible(text)}</bdi>;
}

export function Tags({ tags, link }: { tags: string[]; link?: (tag: string) => string }) {
  return (
    <>
      {tags.map((tag) =>
        link
          ? <a class="tag" href={link(tag)} title={tag}><Name text={tag} /></a>
          : <span class="tag" title={tag}><Name text={tag} /></span>
      )}
    </>
  );
}
