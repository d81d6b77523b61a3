// Keeps secrets out of whatever is shown, stored or logged, and control characters from acting on who reads it.

const MASK = "***";

/** A function that masks each of the secrets, plain and percent-encoded. Secrets under 4 characters would mask ordinary text and are left. */
export function redactor(secrets: Iterable<string | null | undefined>): (text: string) => string {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (!secret || secret.length < 4) continue;
    forms.add(secret);
    forms.add(encodeURIComponent(secret));
    forms.add(JSON.stringify(secret).slice(1, -1));
  }
  // The longest first: one secret may be part of another.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) => {
    for (const form of ordered) if (text.includes(form)) text = text.replaceAll(form, MASK);
    return text;
  };
}

/** Masks user and password in URLs that stand in a text. */
export function maskUrlCredentials(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, `$1${MASK}@`);
}

/** Control characters as visible marks (ESC becomes ␛), so that a log can neither colour nor drive a terminal. */
export function visible(text: string): string {
  return text.replace(
    /(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu,
    (c) => {
      const code = c.charCodeAt(0);
      if (code < 0x20) return String.fromCharCode(0x2400 + code);
      return code === 0x7f ? "\u2421" : `\\u${code.toString(16).padStart(4, "0")}`;
    },
  );
}
