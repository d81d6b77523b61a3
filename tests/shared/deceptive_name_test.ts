import assert from "node:assert/strict";
import { deceptionIn } from "../../shared/deceptive_name.ts";
import { announcedHostName, groupName, hostName, name } from "../../shared/fields.ts";

const GOOD = [
  "web-1",
  "бэкап-1",
  "東京-1",
  "サーバー1",
  "東京-web",
  "서버-1",
  "café",
  "cafe\u0301",
  "Việt",
  "मुंबई-1",
  "น้ำ-1",
  "שרת-1",
  "خادم-١",
  "Ελλάδα",
  "ẹ\u0301",
];
const BAD: [string, string][] = [
  ["zero-width space", "web\u200b1"],
  ["zero-width joiner", "we\u200db"],
  ["soft hyphen", "web\u00ad1"],
  ["right-to-left override", "web\u202e1"],
  ["Hangul filler, which is a letter", "web\u3164"],
  ["grapheme joiner, which is a mark", "web\u034f"],
  ["variation selector", "web\ufe0f"],
  ["tag characters", "web\u{e0061}"],
  ["private use", "web\ue000"],
  ["blank of Braille", "web\u2800"],
  ["no-break space", "web\u00a0x"],
  ["a pile of marks", "we\u0301\u0302\u0303b"],
  ["one mark twice", "we\u0301\u0301b"],
  ["an enclosing mark", "we\u20ddb"],
  ["full-width letters", "\uff57eb"],
  ["mathematical letters", "\u{1d430}eb"],
  ["a ligature", "\ufb01le"],
];
const MIXED: [string, string][] = [
  ["Cyrillic е in Latin", "w\u0435b-1"],
  ["Greek ο in Latin", "h\u03bfst"],
  ["Latin a in Cyrillic", "бэкaп"],
  ["Armenian օ in Latin", "h\u0585st"],
  ["Cherokee Ꮃ in Latin", "\u13b3eb"],
  ["a digit of Bengali", "web-\u09ea"],
  ["a dot of Lisu", "web\ua4f8x"],
];

for (const text of GOOD) {
  Deno.test(`a name may be ${text}`, () => {
    for (const field of [hostName, announcedHostName, groupName, name]) {
      assert.equal(field.parse(text), text.normalize("NFC"));
    }
  });
}
for (const [what, text] of BAD) {
  Deno.test(`a name with ${what} is refused, whoever says it`, () => {
    assert.ok(deceptionIn(text), what);
    for (const field of [hostName, announcedHostName, groupName, name]) {
      assert.ok(!field.safeParse(text).success);
    }
  });
}
for (const [what, text] of MIXED) {
  Deno.test(`a name with ${what} is refused where it is typed, with its code points, and marked where a machine sends it`, () => {
    for (const field of [hostName, groupName, name]) {
      assert.match(
        field.safeParse(text).error?.issues[0]?.message ?? "",
        /mix scripts .*U\+|begin with/,
      );
    }
    assert.equal(announcedHostName.parse(text), text);
    assert.match(deceptionIn(text)!.sentence, /^must not mix scripts \(.*U\+[0-9A-F]{4}/);
  });
}
