// Folders as the agent lists them: a real file system, real find.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Brake, NO_BRAKE } from "../../../agent/brake/brake.ts";
import { listFolder } from "../../../agent/streams/folder.ts";
import { asProblem, problemInWords } from "../../../agent/streams/read_entries.ts";
import { StreamProblem } from "../../../agent/streams/running.ts";
import { FOLDER_ENTRIES_LIMIT } from "../../../shared/folder.ts";
import { testFolder } from "../../support/start_agent.ts";

async function list(
  path: string,
  { within = null, brake = {}, signal = new AbortController().signal }: {
    within?: string[] | null;
    brake?: Partial<Brake>;
    signal?: AbortSignal;
  } = {},
): Promise<unknown[]> {
  const agent = { brake: { ...NO_BRAKE, ...brake }, environment: () => undefined };
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of listFolder(agent, { kind: "folder", path, within }, signal)) {
    text += decoder.decode(piece, { stream: true });
  }
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

const code = (expected: string) => (error: unknown) =>
  error instanceof StreamProblem && error.code === expected || assert.fail(String(error));

function shell(text: string, cwd: string): void {
  const { success } = new Deno.Command("bash", { args: ["-c", text], cwd }).outputSync();
  assert.ok(success, text);
}

Deno.test("a folder is listed with types, links not followed, names as they are", async () => {
  using folder = testFolder();
  shell(
    `mkdir 'a folder' .hidden; touch file $'two\\nlines' 'quote"\\'; ln -s / root; ln -s nowhere dangling; mkfifo pipe; touch $'no\\xfftext'`,
    folder.path,
  );
  const lines = await list(folder.path);
  const entries = lines.slice(0, -1) as [string, string][];
  assert.deepEqual(entries.sort((a, b) => a[1] < b[1] ? -1 : 1), [
    ["folder", ".hidden"],
    ["folder", "a folder"],
    ["link", "dangling"],
    ["file", "file"],
    ["other", "pipe"],
    ["file", 'quote"\\'],
    ["link", "root"],
    ["file", "two\nlines"],
  ]);
  assert.deepEqual(lines.at(-1), { cut: false, not_text: 1 });
});

Deno.test("an empty folder, a trailing slash and the root of all are folders like others", async () => {
  using folder = testFolder();
  assert.deepEqual(await list(`${folder.path}//`), [{ cut: false, not_text: 0 }]);
  assert.ok((await list("/")).some((line) => (line as string[])[1] === "usr"));
});

Deno.test("what is no folder is refused with its own code", async () => {
  using folder = testFolder();
  shell("touch file; mkdir sub; ln -s sub link", folder.path);
  const at = (name: string) => list(join(folder.path, name));
  await assert.rejects(at("none"), code("not_found"));
  await assert.rejects(at("file/below"), code("not_found"));
  await assert.rejects(at("file"), code("not_a_folder"));
  await assert.rejects(at("link"), code("is_link"));
  await assert.rejects(list(`${folder.path}/link/`), code("is_link"));
  for (const path of ["", "home", "./x", "C:\\Users", `${folder.path}/sub/..`, "/x\0y"]) {
    await assert.rejects(list(path), code("not_absolute"), path);
  }
});

Deno.test("only what lies in the folders of the request is listed, with every link on the way resolved", async () => {
  using folder = testFolder();
  shell("mkdir -p yes/sub yes-not no/sub; ln -s ../no yes/out; ln -s yes in", folder.path);
  const within = [join(folder.path, "yes"), join(folder.path, "not-there")];
  const at = (name: string) => list(join(folder.path, name), { within });
  assert.equal((await at("yes")).length, 3);
  assert.equal((await at("yes/sub")).length, 1);
  // By another way to the same place.
  assert.equal((await at("in/sub")).length, 1);
  for (const name of ["yes/out/sub", "yes-not", "no", ""]) {
    await assert.rejects(at(name), code("outside"), name);
  }
  // What is there outside and what is not cannot be told apart.
  for (const name of ["no/none", "yes/out/none", "none"]) {
    await assert.rejects(at(name), code("outside"), name);
  }
  await assert.rejects(at("yes/none/below"), code("not_found"));
  await assert.rejects(list(folder.path, { within: [] }), code("outside"));
});

Deno.test("the owner's roots hold for admins too", async () => {
  using folder = testFolder();
  shell("mkdir -p mine yours", folder.path);
  const brake = { roots: [join(folder.path, "mine")] };
  assert.equal((await list(join(folder.path, "mine"), { brake })).length, 1);
  await assert.rejects(list(join(folder.path, "yours"), { brake }), code("refused_by_machine"));
  await assert.rejects(list("/", { brake: { roots: [] } }), code("refused_by_machine"));
});

Deno.test("what the system refuses is told by its code, whoever met it", () => {
  // Root, as which the agent and mostly these tests run, meets it on network file systems and below a confined unit.
  const said = (text: string) => problemInWords(`find: '/x': ${text}\n`);
  assert.ok(code("access_denied")(said("Permission denied")));
  assert.ok(code("access_denied")(asProblem(new Deno.errors.PermissionDenied())));
  assert.ok(code("not_found")(said("No such file or directory")));
  assert.ok(code("not_found")(asProblem(new Deno.errors.NotADirectory())));
  assert.match(String(said("Input/output error")), /Input\/output error/);
});

Deno.test("a folder of 30,000 entries is cut, says so, and fills no memory", async () => {
  using folder = testFolder();
  shell("seq -f 'a-name-that-is-not-short-%.0f' 1 30000 | xargs touch", folder.path);
  const before = Deno.memoryUsage().rss;
  const lines = await list(folder.path);
  const grown = Deno.memoryUsage().rss - before;
  assert.equal(lines.length, FOLDER_ENTRIES_LIMIT + 1);
  assert.deepEqual(lines.at(-1), { cut: true, not_text: 0 });
  assert.ok(grown < 32 * 1024 * 1024, `${grown}`);
});

Deno.test("names that are long in bytes are cut before they are too many", async () => {
  using folder = testFolder();
  // 80 letters of three bytes, which JSON writes as they are.
  shell(`seq -f '${"世".repeat(80)}%04.0f' 1 9000 | xargs touch`, folder.path);
  const lines = await list(folder.path);
  assert.ok(lines.length > 7000 && lines.length < 9000, `${lines.length}`);
  assert.equal((lines.at(-1) as { cut: boolean }).cut, true);
});

Deno.test("a listing that nobody wants any more ends its find", async () => {
  using folder = testFolder();
  shell("seq 1 5000 | xargs touch", folder.path);
  const abort = new AbortController();
  const listing = list(folder.path, { signal: abort.signal });
  abort.abort();
  // An end, or what was read until then: in no case one that goes on. Deno's own sanitizer sees a process that is left.
  await listing.catch(() => {});
});

Deno.test("a folder on the way that is swapped for a link and back shows nothing of what the link leads to", async () => {
  using folder = testFolder();
  shell(
    "mkdir -p approved/a/sub/own secret/sub/hidden && ln -s ../secret approved/link",
    folder.path,
  );
  const approved = join(folder.path, "approved");
  const swap = `
    const libc = Deno.dlopen("libc.so.6", {
      renameat2: { parameters: ["i32", "buffer", "i32", "buffer", "u32"], result: "i32" },
    });
    const path = (name) => new TextEncoder().encode(${JSON.stringify(approved)} + name + "\\0");
    const [one, other] = [path("/a"), path("/link")];
    console.log("ready");
    // RENAME_EXCHANGE of renameat2(2).
    for (;;) libc.symbols.renameat2(-100, one, -100, other, 2);
  `;
  const swapper = new Deno.Command(Deno.execPath(), { args: ["eval", swap], stdout: "piped" })
    .spawn();
  try {
    const reader = swapper.stdout.getReader();
    await reader.read();
    reader.releaseLock();
    const seen = { own: 0, refused: 0 };
    const until = performance.now() + 60_000;
    // A busy machine may let either of the two stand for long.
    const isSeen = () => seen.own > 0 && seen.refused > 0 || performance.now() > until;
    for (let tries = 0; tries < 150 || !isSeen(); tries++) {
      try {
        const lines = await list(join(approved, "a", "sub"), { within: [approved] });
        assert.deepEqual(lines[0], ["folder", "own"]);
        seen.own++;
      } catch (error) {
        if (!(error instanceof StreamProblem)) throw error;
        seen.refused++;
      }
    }
    assert.ok(seen.own > 0 && seen.refused > 0, JSON.stringify(seen));
  } finally {
    swapper.kill("SIGKILL");
    await swapper.stdout.cancel();
    await swapper.status;
  }
});

Deno.test("an approved folder that is itself a link is listed by its own name; another link is not", async () => {
  using folder = testFolder();
  shell(
    "mkdir -p real/x other && ln -s real data && ln -s ../other real/out && ln -s x real/in",
    folder.path,
  );
  const within = [join(folder.path, "data")];
  for (const path of ["data", "data/"]) {
    const lines = await list(join(folder.path, path), { within });
    assert.ok(lines.some((line) => (line as string[])[1] === "x"), JSON.stringify(lines));
  }
  await assert.rejects(list(join(folder.path, "data/out"), { within }), code("outside"));
  await assert.rejects(list(join(folder.path, "data/in"), { within }), code("is_link"));
  await assert.rejects(list(join(folder.path, "data")), code("is_link"));
});

Deno.test("a root that does not answer keeps nobody from the others, and is asked once", async () => {
  using folder = testFolder();
  const { lstat } = Deno;
  let answer = () => {};
  let asked = 0;
  const hung = new Promise<Deno.FileInfo>((_, reject) => answer = () => reject(new Error("late")));
  Deno.lstat = (path) => {
    if (path !== "/mnt/hung") return lstat(path);
    asked++;
    return hung;
  };
  try {
    for (let tries = 0; tries < 6; tries++) {
      const lines = await list(folder.path, { within: ["/mnt/hung", folder.path] });
      assert.deepEqual(lines, [{ cut: false, not_text: 0 }]);
    }
    assert.equal(asked, 1);
  } finally {
    Deno.lstat = lstat;
    answer();
    await hung.catch(() => {});
  }
});
