// Keeps secrets out of whatever is shown, stored or logged, and control characters from acting on who reads it.
import { isOrdinary, valueMask } from "./ordinary_secret.ts";

const MASK = "***";

/**
 * A function that masks each of the secrets in every form in which a program may print it. One that would mask ordinary
 * text (see ordinary_secret.ts; `texts` are the address and the names of which it may be a part) is masked only where it
 * stands as a value.
 */
export function redactor(
  secrets: Iterable<string | null | undefined>,
  texts: Iterable<string> = [],
): (text: string) => string {
  const known = [...texts];
  const given = new Set([...secrets].filter((secret): secret is string => Boolean(secret)));
  const forms = new Set<string>();
  const values: ((text: string) => string)[] = [];
  for (const secret of given) {
    if (isOrdinary(secret, known)) values.push(valueMask(formsOf(secret), MASK));
    else for (const form of formsOf(secret)) forms.add(form);
  }
  // The longest first: one secret may be part of another.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => {
    for (const form of ordered) if (text.includes(form)) text = text.replaceAll(form, MASK);
    for (const mask of values) text = mask(text);
    return text;
  };
}

/** Plain; percent-encoded as browsers, forms and Go's url.UserPassword do it; in JSON as JavaScript and Go write it; quoted for a shell. */
function formsOf(secret: string): Set<string> {
  const text = secret.toWellFormed();
  const encoded = encodeURIComponent(text);
  const inUrl = encoded.replace(/%(?:24|26|2B|2C|3B|3D)/g, decodeURIComponent);
  const json = JSON.stringify(text).slice(1, -1);
  const forms = [
    secret,
    encoded,
    encoded.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
    encoded.replaceAll("%20", "+"),
    inUrl,
    json,
    json.replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`),
    secret.replaceAll("'", `'\\''`),
  ];
  const lower = (form: string) => form.replace(/%[0-9A-F]{2}/g, (pair) => pair.toLowerCase());
  return new Set([...forms, ...forms.map(lower)]);
}

/**
 * Masks user and password in URLs that are in a text, up to the last @ before the path: a user may hold one. In time that grows
 * with the text's length alone: a scheme is looked for only where its letters begin.
 */
export function maskUrlCredentials(text: string): string {
  return text.replace(/(?<![a-z0-9+.-])([a-z0-9+.-]+:\/\/)[^\s/?#]*@/gi, `$1${MASK}@`);
}

/**
 * Control characters, Unicode's own line breaks and marks of direction as visible marks (ESC becomes ␛), so that a log can neither
 * colour nor drive a terminal. Tabs and line feeds stay.
 */
export function visible(text: string): string {
  return text.replace(
    /(?![\t\n])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu,
    (c) => {
      const code = c.charCodeAt(0);
      if (code < 0x20) return String.fromCharCode(0x2400 + code);
      return code === 0x7f ? "\u2421" : `\\u${code.toString(16).padStart(4, "0")}`;
    },
  );
}

/** JSON in which no character acts on the terminal that shows it: JSON.stringify leaves DEL, C1, U+2028, U+2029 and directions as they are. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
