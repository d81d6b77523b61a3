// Names that a person reads otherwise than they are. One rule for every place where a name enters: what is invisible, is
// piled up or stands for a plain letter is refused; a mixture of scripts is refused where a person types it, and marked where
// a machine sends it. After Unicode's UTS 39, "Highly Restrictive" (https://www.unicode.org/reports/tr39/).

export interface Deception {
  kind: "invisible" | "marks" | "form" | "scripts";
  /** Continues the field's name: "must not hold …". */
  sentence: string;
  /** The same of a name that is there and was not refused: "mixes scripts …". */
  statement?: string;
}

/** No language writes more than two marks on a letter of these (Vietnamese, Yoruba, Pinyin). */
const FEW_MARKS = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Common}]/u;
const INVISIBLE =
  /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u2800]|(?! )\p{Zs}/u;
const PILE = /(\p{M})\1|\p{Me}|\p{M}{4}/u;

/** The first thing about a name that deceives, or undefined. */
export function deceptionIn(text: string): Deception | undefined {
  const name = text.normalize("NFC");
  const invisible = INVISIBLE.exec(name)?.[0];
  if (invisible) {
    return {
      kind: "invisible",
      sentence: `must not hold characters that cannot be seen (${codePoint(invisible)})`,
    };
  }
  const pile = pileIn(name);
  if (pile) {
    return {
      kind: "marks",
      sentence: `must not pile up marks on a letter (${codePoints(pile)})`,
    };
  }
  const form = [...name].find(standsForPlain);
  if (form) {
    return {
      kind: "form",
      sentence: `must hold plain letters and digits, not ${codePoint(form)} for ${
        form.normalize("NFKC")
      }`,
    };
  }
  return mixtureIn(name);
}

/** What may not enter anywhere, whoever says it. */
export function refusedEverywhere(text: string): string | undefined {
  const deception = deceptionIn(text);
  return deception && deception.kind !== "scripts" ? deception.sentence : undefined;
}

/** Every character beyond ASCII with its code point, such as "а U+0430": at most twelve. */
export function codePoints(text: string): string {
  const strange = [...new Set(text)].filter((character) => character > "\x7e");
  const shown = strange.slice(0, 12).map(codePoint).join(", ");
  return strange.length > 12 ? `${shown}, …` : shown;
}

function codePoint(character: string): string {
  const number = `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
  return INVISIBLE.test(character) || /\p{M}/u.test(character) ? number : `${character} ${number}`;
}

function pileIn(name: string): string | undefined {
  const apart = name.normalize("NFD");
  const pile = PILE.exec(apart)?.[0];
  if (pile) return pile;
  for (const [all, base = ""] of apart.matchAll(/(\P{M})\p{M}{3}/gu)) {
    if (FEW_MARKS.test(base)) return all;
  }
  return undefined;
}

/** Full-width, mathematical, circled and raised characters, ligatures: what is written in ASCII otherwise. */
function standsForPlain(character: string): boolean {
  if (character <= "\x7e") return false;
  const plain = character.normalize("NFKC");
  return plain !== character && /[\x21-\x7e]/.test(plain) && !/\p{M}/u.test(plain.normalize("NFD"));
}

/** Scripts in everyday use (UAX 31, tables 5 and 7); all others count as one. */
const SCRIPTS = (
  "Latin Greek Cyrillic Armenian Georgian Hebrew Arabic Syriac Thaana Nko Devanagari Bengali Gurmukhi Gujarati Oriya Tamil " +
  "Telugu Kannada Malayalam Sinhala Thai Lao Tibetan Myanmar Khmer Ethiopic Hangul Hiragana Katakana Bopomofo Han Cherokee " +
  "Canadian_Aboriginal Mongolian Tifinagh Yi Javanese Balinese Lisu Vai"
).split(" ");
const TESTS = SCRIPTS.map((script) =>
  [script, new RegExp(`^\\p{Script_Extensions=${script}}`, "u")] as const
);
const COMMON = /^[\p{Script_Extensions=Common}\p{Script_Extensions=Inherited}]/u;

/** What is written together in one language: Japanese, Korean and Chinese with their own signs, each beside Latin. */
const TOGETHER = [
  ["Latin", "Han", "Hiragana", "Katakana"],
  ["Latin", "Han", "Bopomofo"],
  ["Latin", "Han", "Hangul"],
];

function mixtureIn(name: string): Deception | undefined {
  const letters = [...name].filter((character) => !COMMON.test(character));
  const each = letters.map(scriptsOf);
  const isOne = (allowed: string[]) =>
    each.every((scripts) => scripts.some((script) => allowed.includes(script)));
  const first = each[0] ?? [];
  if (first.some((script) => isOne([script])) || TOGETHER.some(isOne)) return undefined;
  const shown = [...new Set(each.map(([script]) => script ?? ""))].slice(0, 4).join(" and ");
  const which = `scripts (${shown}: ${codePoints(letters.join(""))})`;
  return { kind: "scripts", sentence: `must not mix ${which}`, statement: `mixes ${which}` };
}

function scriptsOf(character: string): string[] {
  const scripts = TESTS.filter(([, test]) => test.test(character)).map(([script]) => script);
  return scripts.length > 0 ? scripts : ["another script"];
}
