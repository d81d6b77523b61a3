import assert from "node:assert/strict";
import { relative as inBrowser } from "../../templates/assets/js/clock.js";
import {
  bytes,
  count,
  dayInWords,
  duration,
  exact,
  middleCut,
  plural,
  relative,
  upcoming,
} from "../../templates/format.ts";

const NOW = Date.UTC(2026, 10, 22, 3, 0, 12);
const S = 1000, M = 60 * S, H = 60 * M, D = 24 * H;

Deno.test("bytes() has binary units and one decimal, and never shows 1024 of a unit", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1.2 * 2 ** 30, "1.2 GiB"],
    [2 ** 20 - 1, "1.0 MiB"],
    [2 ** 80, "1048576.0 EiB"],
    [-5, "0 B"],
  ];
  for (const [n, text] of cases) assert.equal(bytes(n), text);
});

Deno.test("duration() gives the two largest units", () => {
  const cases: [number, string][] = [
    [0, "0 s"],
    [0.2, "under 1 s"],
    [45, "45 s"],
    [192, "3 m 12 s"],
    [3600, "1 h"],
    [7500, "2 h 5 m"],
    [3 * 86_400 + 4 * 3600 + 59, "3 d 4 h"],
  ];
  for (const [seconds, text] of cases) assert.equal(duration(seconds), text);
});

const TIMES: [number, string][] = [
  [NOW, "just now"],
  [NOW - 20 * S, "20s ago"],
  [NOW - 8 * M, "8m ago"],
  [NOW - 7 * H, "7h ago"],
  [NOW - 26 * H, "26h ago"],
  [NOW - 3 * D, "3d ago"],
  [NOW + 3 * H, "in 3 h"],
  [NOW + 59 * M, "in 59 min"],
  [NOW + 5 * D, "in 5 d"],
];

Deno.test("relative() says when, in one short word group", () => {
  for (const [at, text] of TIMES) assert.equal(relative(at, NOW), text);
});

Deno.test("upcoming() names the day only when it is not within the next 24 hours", () => {
  assert.equal(upcoming(Date.UTC(2026, 10, 23, 3), NOW), "03:00");
  assert.equal(upcoming(Date.UTC(2026, 10, 25, 3), NOW), "Wed 03:00");
  assert.equal(upcoming(Date.UTC(2026, 11, 1, 3), NOW), "2026-12-01");
});

Deno.test("the browser's clock says the same as relative()", () => {
  for (const [at, text] of TIMES) assert.equal(inBrowser(at, NOW), text);
});

Deno.test("exact() is UTC to the second, also for a time that no calendar has", () => {
  assert.equal(exact(NOW), "2026-11-22 03:00:12 UTC");
  assert.equal(exact(Number.NaN), "1970-01-01 00:00:00 UTC");
});

Deno.test("dayInWords() names today and yesterday", () => {
  assert.equal(dayInWords(NOW, NOW), "Today, Sunday 22 November 2026");
  assert.equal(dayInWords(NOW - D, NOW), "Yesterday, Saturday 21 November 2026");
  assert.equal(dayInWords(NOW - 3 * D, NOW), "Thursday 19 November 2026");
});

Deno.test("counts have separators and the right noun", () => {
  assert.equal(count(12_345), "12,345");
  assert.equal(plural(1, "host"), "1 host");
  assert.equal(plural(2000, "host needs", "hosts need"), "2,000 hosts need");
});

Deno.test("middleCut() keeps both ends and never cuts a letter in two", () => {
  assert.equal(middleCut("/short", 20), "/short");
  const cut = middleCut(`/home/${"x".repeat(100)}/report.pdf`, 30);
  assert.equal(Array.from(cut).length, 30);
  assert.match(cut, /^\/home\/.*…x*\/report\.pdf$/);
  assert.equal(middleCut("😀".repeat(50), 9), `${"😀".repeat(3)}…${"😀".repeat(5)}`);
});
