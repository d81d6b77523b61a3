// The name under which a browser stores what it is sent: made of a name that anybody chose.

/** Letters of what is shown; each has up to four bytes, of which file systems take 255. */
const LENGTH = 120;
/** Of these the end, by which people tell what a file is. */
const EXTENSION = /\.[^.]{1,12}$/u;
const RESERVED = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?=\.|$)/i;

/**
 * Content-Disposition for a download (RFC 6266, RFC 8187): always an attachment, with a plain name for old clients and the whole one. What a
 * system takes for a path or a device, and what turns text around or cannot be seen, is replaced by `_`.
 */
export function attachment(name: string): string {
  const safe = safeName(name);
  const plain = safe.normalize("NFKD").replaceAll(/[^\x20-\x7e]/g, "_").replaceAll(/["\\%]/g, "_");
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded(safe)}`;
}

/** A name that every system takes for one of a file. */
export function safeName(name: string): string {
  const visible = name.toWellFormed()
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "_")
    .replaceAll(/[/\\:*?"<>|]/g, "_")
    // Windows drops these at the end, shells take those at the beginning for options and hidden files.
    .replace(/[. ]+$/, (end) => "_".repeat(end.length))
    .replace(/^[.\-~ ]+/, (begin) => "_".repeat(begin.length));
  const short = shortened(visible) || "_";
  return RESERVED.test(short) ? `_${short}` : short;
}

function shortened(name: string): string {
  const letters = [...name];
  if (letters.length <= LENGTH && new TextEncoder().encode(name).length <= 240) return name;
  const [end = ""] = EXTENSION.exec(name) ?? [];
  let begin = letters.slice(0, LENGTH - [...end].length);
  while (new TextEncoder().encode(begin.join("") + end).length > 240) begin = begin.slice(0, -1);
  return begin.join("") + end;
}

/** `attr-char` of RFC 8187 stays as it is. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /['()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
