// The agent runs as root; operators borrow of it what an admin approved for the host.
import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { joinHost } from "../support/fake_agent.ts";
import { startServer } from "../support/start_server.ts";

const LINUX_OUT = [
  "/",
  "/etc",
  "/etc/shadow",
  "/home/../etc/shadow",
  "/home/./../etc",
  "/homework",
  "/home2/x",
  "//etc",
  "/srv",
  "/HOME/x",
  "/home/a/../../root",
];
const LINUX_IN = ["/home", "/home/", "/home//anna/./x", "/home/a/../b", "/srv/data/x"];
const WINDOWS_OUT = [
  "C:\\",
  "C:\\Windows",
  "C:\\Users\\..\\Windows",
  "C:/Users/../Windows/System32",
  "\\\\?\\C:\\Windows",
  "\\\\?\\C:\\Users\\..\\Windows",
  "\\\\localhost\\c$\\Users",
  "\\\\?\\UNC\\server\\other",
  "\\\\.\\GLOBALROOT\\Device\\HarddiskVolume1",
  "D:\\Users",
  "C:\\Users2",
  "\\\\server\\share2",
];
const WINDOWS_IN = [
  "c:\\users\\Anna",
  "C:/Users/Anna",
  "\\\\?\\C:\\Users\\Anna",
  "\\\\SERVER\\share\\x",
  "C:\\Users\\a\\..\\b",
];

attack({
  id: "promise 8",
  promise: "operators choose paths and repositories among those that an admin approved",
  done:
    "an operator makes and changes source groups with paths outside, in many spellings, on Linux and Windows, and binds the host to his own repository",
  expected: "403 with the field; an admin may, and what he set stays when an operator saves",
}, async (see) => {
  await using test = await startServer();
  const host = await joinHost(test, "alpha", {}, ["/home", "/srv/data"]);
  const own = `/api/hosts/${host.hostId}`;
  const groups = `${own}/source-groups`;
  const [{ id }] = (await test.api("olive", "GET", groups)).body.items;
  const shown = (await test.api("victor", "GET", own)).body;
  assert.deepEqual(shown.approved_roots, ["/home", "/srv/data"]);
  assert.deepEqual(shown.approved_repository_ids, [host.repositoryId]);
  let n = 0;
  const tryAll = async (outside: string[], inside: string[]) => {
    for (const path of outside) {
      const includes = [inside[0], path];
      for (
        const answer of [
          await test.api("olive", "POST", groups, { name: `new-${n++}`, includes }),
          await test.api("olive", "PUT", `${groups}/${id}`, { name: "default", includes }),
        ]
      ) {
        assert.deepEqual(
          [answer.status, answer.body.error?.field],
          [403, "includes.1"],
          `${path} ${JSON.stringify(answer.body)}`,
        );
      }
    }
    for (const path of inside) {
      const made = await test.api("olive", "POST", groups, { name: `in-${n++}`, includes: [path] });
      assert.equal(made.status, 201, `${path} ${JSON.stringify(made.body)}`);
    }
  };
  await tryAll(LINUX_OUT, LINUX_IN);
  await test.server.db.updateTable("hosts").set({ os: "windows" }).execute();
  const roots = ["C:\\Users", "\\\\server\\share"];
  const refused = await test.api("olive", "PATCH", own, { approved_roots: ["/"] });
  assert.deepEqual([refused.status, refused.body.error.field], [403, "approved_roots"]);
  assert.equal((await test.api("alice", "PATCH", own, { approved_roots: roots })).status, 200);
  await tryAll(WINDOWS_OUT, WINDOWS_IN);
  see(`${LINUX_OUT.length + WINDOWS_OUT.length} paths outside refused, twice each`);
  await test.server.db.updateTable("hosts").set({ os: "linux" }).execute();
  const set = { name: "default", includes: ["/etc"] };
  assert.equal((await test.api("alice", "PUT", `${groups}/${id}`, set)).status, 200);
  const kept = await test.api("olive", "PUT", `${groups}/${id}`, { ...set, excludes: ["*.bak"] });
  assert.equal(kept.status, 200, "what an admin chose stays");
  const added = await test.api("olive", "PUT", `${groups}/${id}`, {
    ...set,
    includes: ["/etc", "/root"],
  });
  assert.deepEqual([added.status, added.body.error.field], [403, "includes.1"]);

  const { body: mine } = await test.api("olive", "POST", "/api/repositories", {
    name: "mine",
    url: "rest:https://mallory.example/",
    is_new: true,
  });
  assert.equal(mine.open_to_operators, true);
  const bind = (person: "alice" | "olive") =>
    test.api(person, "PATCH", own, { repository_id: mine.id });
  const bound = await bind("olive");
  see(`binding it to his own repository: ${bound.status} ${bound.body.error?.message}`);
  assert.deepEqual([bound.status, bound.body.error.field], [403, "repository_id"]);
  const approval = { approved_repository_ids: [mine.id] };
  assert.equal((await test.api("olive", "PATCH", own, approval)).status, 403);
  assert.equal((await test.api("alice", "PATCH", own, approval)).status, 200);
  assert.equal((await bind("olive")).status, 200, "an admin approved it");
  const home = await test.api("olive", "PATCH", own, { repository_id: host.repositoryId });
  assert.deepEqual([home.status, home.body.error.field], [403, "repository_id"]);
});
