import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { call, followSetupLink, signIn } from "../support/browser_session.ts";
import { runOnce } from "../support/programs.ts";
import { PASSWORD, startServer } from "../support/start_server.ts";

attack({
  id: "S41",
  promise:
    "nobody becomes the first admin by waiting for an old link, by guessing, or by being second",
  done:
    "usual names and passwords; invented links; the printed link after an hour; setup-link twice beside the server, both " +
    "links; ten at once with the right one; again afterwards, also by setup-link",
  expected: "refused, all but one of the ten; after that there is no link any more",
}, async (see) => {
  await using test = await startServer({ people: false });
  const link = (token: string) => `${test.url}/setup?token=${token}`;
  const follow = async (url: string, name = "root") =>
    (await followSetupLink(test, url, PASSWORD, name)).status;
  const usual = [];
  for (const [name, password] of [["admin", "admin"], ["root", "root"], ["admin", "password"]]) {
    usual.push((await signIn(test, name!, password)).status);
  }
  const invented = [
    await follow(link("")),
    await follow(link("undefined")),
    await follow(link("x".repeat(43))),
  ];
  const printed = test.server.setup.token!;
  await using late = await startServer({ people: false });
  late.clock.pass(3_601_000);
  const old =
    (await followSetupLink(late, `${late.url}/setup?token=${late.server.setup.token}`)).status;
  const make = async () => {
    const { code, stdout } = await runOnce("server", ["setup-link"], {
      RM_DATA_DIR: test.dataDir,
      RM_BASE_URL: test.url,
    });
    return { code, url: stdout.trim().split("\n").at(-1)! };
  };
  const first = await make();
  const second = await make();
  const replaced = [await follow(link(printed)), await follow(first.url)];
  const ten = await Promise.all(
    Array.from({ length: 10 }, (_, n) => follow(second.url, `root${n}`)),
  );
  const again = await follow(second.url);
  const third = await make();
  const users = await test.server.db.selectFrom("users").selectAll().execute();
  const page = await call(test, "GET", `/setup?token=${printed}`);
  see(
    `${usual}; ${invented}; after an hour ${old}; replaced ${replaced}; ten at once ${ten}; again ${again}; setup-link ends with ${third.code}`,
  );
  assert.ok(
    [...usual, ...invented, old, ...replaced, again, page.status].every((status) => status >= 400),
  );
  assert.equal(ten.filter((status) => status === 303).length, 1);
  assert.deepEqual([users.length, first.code, second.code, third.code], [1, 0, 0, 1]);
});
