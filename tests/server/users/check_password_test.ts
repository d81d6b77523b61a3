import assert from "node:assert/strict";
import { checkPassword } from "../../../server/users/check_password.ts";
import { randomSecret } from "../../../server/random.ts";

Deno.test("a random password is taken whatever the user is called, also by one or two letters", () => {
  for (const username of ["a", "u1", "bob", "alice"]) {
    for (let n = 0; n < 2000; n++) checkPassword(randomSecret(), username);
  }
});

for (
  const [password, username] of [
    ["u1u1u1u1u1u1", "u1"],
    ["Bob-bob-bob-1", "bob"],
    ["aaaabbbbccccdddda", "abcd"],
    ["correct alice battery", "alice"],
    ["ALICE2026!!", "alice"],
    ["1234567890", "bob"],
  ] as const
) {
  const isRefused = password !== "aaaabbbbccccdddda";
  Deno.test(`the password ${password} of ${username} is ${isRefused ? "refused" : "taken"}`, () => {
    if (isRefused) assert.throws(() => checkPassword(password, username), /too easy to guess/);
    else checkPassword(password, username);
  });
}
