// What can be shown of a file's bytes: by what they are, never by its name. HTML and SVG are text like any other.

export const IMAGE_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"] as const;
export type ImageType = typeof IMAGE_TYPES[number];

export type Shown =
  | { kind: "image"; type: ImageType }
  | { kind: "text"; text: string; encoding: string }
  | { kind: "binary" };

/** How they begin (WHATWG MIME Sniffing, 6.1); undefined stands for any byte. */
const BEGINNINGS: [ImageType, (number | undefined)[]][] = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", [...bytesOf("GIF87a")]],
  ["image/gif", [...bytesOf("GIF89a")]],
  ["image/webp", [...bytesOf("RIFF"), ...Array(4).fill(undefined), ...bytesOf("WEBPVP")]],
];

/** More than this part of a text that is no letter, tab or line end: it is none. */
const MOST_ODD = 0.1;

export function shownAs(content: Uint8Array): Shown {
  const image = BEGINNINGS.find(([, begin]) =>
    begin.length <= content.length &&
    begin.every((byte, at) => byte === undefined || byte === content[at])
  );
  if (image) return { kind: "image", type: image[0] };
  const encoding = encodingOf(content);
  if (encoding === undefined) return { kind: "binary" };
  const text = new TextDecoder(encoding).decode(content);
  // deno-lint-ignore no-control-regex
  const odd = text.match(/[\u0000-\u0008\u000e-\u001a\u001c-\u001f\ufffd]/g)?.length ?? 0;
  if (odd > text.length * MOST_ODD) return { kind: "binary" };
  return { kind: "text", text, encoding };
}

/** Windows writes texts in UTF-16 too, with a mark at the beginning. undefined for what has a NUL. */
function encodingOf(content: Uint8Array): string | undefined {
  if (content[0] === 0xff && content[1] === 0xfe) return "utf-16le";
  if (content[0] === 0xfe && content[1] === 0xff) return "utf-16be";
  return content.includes(0) ? undefined : "utf-8";
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
