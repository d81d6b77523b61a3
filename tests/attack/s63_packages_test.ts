import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { attack } from "../support/trial.ts";
import { testFolder } from "../support/start_agent.ts";

const read = async (name: string) =>
  JSON.parse(await Deno.readTextFile(new URL(`../../${name}`, import.meta.url)));

/** A registry with one package, whose content can be replaced. */
function registry(folder: string) {
  let tarball = new Uint8Array();
  let url = "";
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname.endsWith(".tgz")) return new Response(tarball);
    if (pathname !== "/victim") return new Response("", { status: 404 });
    const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
    const version = {
      name: "victim",
      version: "1.0.0",
      dist: { tarball: `${url}/victim.tgz`, integrity },
    };
    return Response.json({
      ...{ name: "victim", "dist-tags": { latest: "1.0.0" } },
      versions: { "1.0.0": { ...version, hasInstallScript: true } },
    });
  });
  url = `http://127.0.0.1:${server.addr.port}`;
  return {
    url,
    put: async (code: string) => {
      const at = await Deno.makeTempDir({ dir: folder });
      await Deno.mkdir(join(at, "package"));
      const scripts = { postinstall: `touch ${folder}/MARK`, install: `touch ${folder}/MARK` };
      const about = { name: "victim", version: "1.0.0", main: "index.js", scripts };
      await Deno.writeTextFile(join(at, "package", "package.json"), JSON.stringify(about));
      await Deno.writeTextFile(join(at, "package", "index.js"), code);
      await new Deno.Command("tar", { args: ["czf", "victim.tgz", "package"], cwd: at }).output();
      tarball = await Deno.readFile(join(at, "victim.tgz"));
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

attack({
  id: "S63",
  promise: "no package gets into the programs but the very bytes that were looked at",
  done:
    "deno.json and deno.lock are held against each other; then, with this project's own settings, a registry hands out a locked package with other content, one with install scripts, and one that was never locked",
  expected:
    "exact versions, each with a SHA-512 and none with install scripts; the changed one and the new one end the build, and no install script runs",
}, async (see) => {
  const config = await read("deno.json");
  const lock = await read("deno.lock");
  for (const [name, to] of Object.entries(config.imports as Record<string, string>)) {
    assert.match(to, /^npm:(@[\w-]+\/)?[\w.-]+@\d+\.\d+\.\d+(\/[\w/-]+)?$/, name);
  }
  const locked = Object.entries(lock.npm as Record<string, Record<string, unknown>>);
  for (const [name, about] of locked) {
    assert.match(`${about.integrity}`, /^sha512-[A-Za-z0-9+/]{86}==$/, name);
    assert.ok(!about.scripts && !about.tarball, `${name} runs scripts or comes from elsewhere`);
  }
  assert.deepEqual(Object.keys(lock).sort(), ["npm", "specifiers", "version", "workspace"]);
  assert.deepEqual([config.nodeModulesDir, config.lock], ["none", { frozen: true }]);

  using folder = testFolder();
  await using shop = registry(folder.path);
  const project = join(folder.path, "project");
  await Deno.mkdir(project);
  const settings = { ...config, tasks: {}, imports: { victim: "npm:victim@1.0.0" } };
  await Deno.writeTextFile(join(project, "deno.json"), JSON.stringify(settings));
  await Deno.writeTextFile(join(project, "main.ts"), 'import "victim";');
  let cache = 0;
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", ...args, "main.ts"],
      cwd: project,
      env: {
        NPM_CONFIG_REGISTRY: shop.url,
        // As on another machine, which has nothing of it yet.
        DENO_DIR: join(folder.path, `cache-${cache++}`),
        ...{ DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
      },
    }).output();
    const text = new TextDecoder();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  };
  await shop.put('console.log("good")');
  const unlocked = await run();
  const locking = await run("--frozen=false");
  const good = await run();
  await shop.put('console.log("changed")');
  const changed = await run();
  see(
    `${locked.length} packages; not locked: ${unlocked.code}; locked: ${good.stdout.trim()}; changed: ${changed.code}, ${
      changed.stderr.split("\n").find((line) => /integrity/i.test(line))?.trim()
    }`,
  );
  assert.equal(locking.stdout, "good\n", locking.stderr);
  assert.notEqual(unlocked.code, 0);
  assert.deepEqual([good.code, good.stdout], [0, "good\n"], good.stderr);
  assert.notEqual(changed.code, 0);
  assert.doesNotMatch(changed.stdout, /changed/);
  await assert.rejects(Deno.stat(join(folder.path, "MARK")), Deno.errors.NotFound);
});
