// A secret such as "home" is in every other line of a log. Masked wherever it stands it would make the log unreadable,
// and show by the gaps what it is; so it is masked only where it stands as a value.

const SHORT = 8;
/** A single word of this length or more, or as many digits, are rare enough in a log. */
const LONG_WORD = 16;

/** Whether masking a secret everywhere would eat ordinary text: it is short, one plain word or number, or part of these texts. */
export function isOrdinary(secret: string, texts: Iterable<string> = []): boolean {
  if (secret.length < SHORT) return true;
  if (secret.length < LONG_WORD && /^(\p{L}+|\p{N}+)$/u.test(secret)) return true;
  const lower = secret.toLowerCase();
  return [...texts].some((text) => text.toLowerCase().includes(lower));
}

/** Why a secret is a poor one, as a sentence that names its field and never the secret; undefined for a good one. */
export function ordinaryWarning(
  field: string,
  secret: string | null | undefined,
  texts: Iterable<string> = [],
): string | undefined {
  if (!secret || !isOrdinary(secret, texts)) return undefined;
  return `${field} is short, a plain word or number, or part of the address or a name: logs can hide it only where it stands as a value. A longer one is safer.`;
}

const QUOTE = "[\"'`]";
const END = `(?=${QUOTE}|[&;,)\\]}>]|\\s|$)`;
const CUE = String.raw`(?i:pass(?:word|wd|phrase|code)?s?|pwd|secret|token|key|sas|credentials?)`;

/** Where a value stands: what comes before it, the value, what comes after it. */
const PLACES: ((value: string) => string)[] = [
  // Alone on its line.
  (value) => String.raw`(?<=^\s*)${value}(?=\s*$)`,
  // Quoted, but not as a name in JSON.
  (value) => String.raw`(?<=${QUOTE})${value}(?=${QUOTE}(?!\s*:))`,
  // NAME=value, also in a URL, but not --tag=value: what restic is given there is no secret.
  (value) => String.raw`(?<=(?:^|[^\w-])[A-Za-z_][\w.]*=)${value}${END}`,
  // user:value@host, curl's -u user:value, mysql's -pvalue.
  (value) => String.raw`(?<=[^\s/@]:)${value}(?=@)`,
  (value) => String.raw`(?<=(?:^|\s)(?:-u|--user)[\s=]*[^\s:]+:)${value}${END}`,
  (value) => String.raw`(?<=(?:^|\s)-p\s?)${value}${END}`,
  // password: value, --db-password=value, AWS_SECRET_ACCESS_KEY value, "the password is value".
  (value) => String.raw`(?<=${CUE}["']?\s*[:=]\s*[("'\[]?)${value}${END}`,
  (value) => String.raw`(?<=${CUE}\s+(?:(?i:is|was|of|to|with|for)\s+)?[("'\[]?)${value}${END}`,
];

/** A function that masks the secret where it stands as a value, in one of the forms in which it may be written. */
export function valueMask(forms: Iterable<string>, mask: string): (text: string) => string {
  const written = [...forms];
  const value = written.map((form) => form.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|");
  const places = PLACES.map((place) => new RegExp(place(`(?:${value})`), "gmu"));
  return (text) => {
    if (!written.some((form) => text.includes(form))) return text;
    return places.reduce((masked, place) => masked.replace(place, mask), text);
  };
}
