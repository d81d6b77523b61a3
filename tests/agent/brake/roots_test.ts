import assert from "node:assert/strict";
import { join } from "node:path";
import { isWithin, liesWithin, type Machine } from "../../../agent/brake/roots.ts";
import { testFolder } from "../../support/start_agent.ts";

Deno.test("a path is within a root as it really lies, links resolved on both sides", async () => {
  using folder = testFolder();
  const at = (...names: string[]) => join(Deno.realPathSync(folder.path), ...names);
  for (const each of ["home/anna/docs", "homestead", "secret"]) {
    Deno.mkdirSync(at(each), { recursive: true });
  }
  Deno.writeTextFileSync(at("home/anna/file"), "x");
  Deno.symlinkSync(at("secret"), at("home/out"));
  Deno.symlinkSync(at("secret/not-yet"), at("home/dangling"));
  Deno.symlinkSync(at("home/loop"), at("home/loop"));
  Deno.symlinkSync(at("home"), at("link-to-home"));
  const roots = [at("home")];
  const inside = [
    "home",
    "home/",
    "home/anna/docs",
    "home//anna/./file",
    "home/not/there/yet",
    "link-to-home/anna",
  ];
  const outside = [
    "",
    "homestead",
    "secret",
    "hom",
    "home/out",
    "home/out/x",
    "home/dangling",
    "home/dangling/x",
    "home/loop/x",
    "home/../secret",
    "home/anna/../../secret",
  ];
  for (const path of inside) assert.ok(isWithin(`${at()}/${path}`, roots), path);
  for (const path of outside) assert.ok(!isWithin(`${at()}/${path}`, roots), path);
  for (const path of inside) assert.ok(await liesWithin(`${at()}/${path}`, roots), path);
  for (const path of outside) assert.ok(!await liesWithin(`${at()}/${path}`, roots), path);
  assert.ok(await liesWithin(at("home/anna"), [at("gone/root"), at("link-to-home")]));
  assert.ok(!await liesWithin("/", roots) && !await liesWithin(at("secret"), []));
  assert.ok(isWithin(at("home/anna"), [at("link-to-home")]), "a root that is a link");
  assert.ok(!isWithin("/", roots) && !isWithin("home/anna", roots));
  assert.ok(isWithin(at("secret"), ["/"]) && !isWithin(at("secret"), []));
});

/** A Windows machine: what is there, in its long names, and where junctions and short names lead. */
function windows(leads: Record<string, string>): Machine {
  const lower = new Map(
    Object.entries(leads).map(([name, target]) => [name.toLowerCase(), target]),
  );
  return {
    isWindows: true,
    isThere: (path) => lower.has(path.toLowerCase()),
    realPath: (path) => lower.get(path.toLowerCase())!,
  };
}

Deno.test("on Windows drives, case, shares, long and short names and junctions are what they are there", () => {
  const machine = windows({
    "C:\\": "C:\\",
    "C:\\Users": "C:\\Users",
    "C:\\Users\\Anna": "C:\\Users\\Anna",
    "C:\\Users\\All Users": "C:\\ProgramData",
    "C:\\PROGRA~1": "C:\\Program Files",
    "C:\\USERS~1": "C:\\Users",
    "D:\\": "D:\\",
    "D:\\Users": "D:\\Users",
  });
  const within = (path: string, roots = ["C:\\Users"]) => isWithin(path, roots, machine);
  const inside = [
    "C:\\Users",
    "c:\\USERS\\anna",
    "C:/Users/Anna",
    "C:\\Users\\Anna\\new folder",
    "\\\\?\\C:\\Users\\Anna",
    "C:\\Users \\Anna",
    "C:\\Users.\\Anna.",
    "C:\\USERS~1",
    "C:\\Users\\*",
    "C:\\Users\\Anna\\*.docx",
  ];
  const outside = [
    "C:\\",
    "C:\\Users2",
    "D:\\Users\\Anna",
    "C:\\Users\\All Users",
    "C:\\Users\\All Users\\x",
    "C:\\PROGRA~1",
    "C:\\Users\\..\\Windows",
    "C:\\Users\\.. \\Windows",
    "C:\\Users\\*\\..\\..\\Windows",
    "C:\\Users\\*\\secret",
    "\\\\localhost\\C$\\Users",
    "\\\\?\\UNC\\localhost\\C$\\Users",
    "\\\\?\\GLOBALROOT\\Device\\HarddiskVolume1\\Users",
    "\\\\?\\Volume{5f9c2b1e-0000-0000-0000-100000000000}\\Users",
    "\\\\.\\PhysicalDrive0",
    "C:\\Users\\ANNA~2\\x",
    "C:Users",
    "\\Users",
  ];
  for (const path of inside) assert.ok(within(path), path);
  for (const path of outside) assert.ok(!within(path), path);
  const share = ["\\\\nas\\backup"];
  assert.ok(within("\\\\NAS\\Backup\\x", share) && within("\\\\?\\UNC\\nas\\backup\\x", share));
  assert.ok(!within("\\\\nas\\backup2\\x", share) && !within("\\\\nas.evil\\backup", share));
});
