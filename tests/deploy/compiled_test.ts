// The compiled programs, away from the checkout, with an empty environment and the server as another user, go through what
// needs more than their own code: assets, migrations, worker, argon2id, signals, a private authority. `deno task
// test:compiled` runs all flows with them.
import assert from "node:assert/strict";
import { missingProgram, testUnless } from "../support/left_out.ts";
import { join } from "node:path";
import { selfSigned } from "../support/certificate.ts";
import { buildForTests } from "../support/compiled.ts";
import { FakeServer } from "../support/fake_server.ts";
import { Fleet, randomFiles, runOnce, useCompiled } from "../support/programs.ts";
import { anyRestic, resticByHand } from "../support/restic.ts";
import { spawnAgent, testFolder } from "../support/start_agent.ts";

const PASSWORD = "secret-of-the-repository";

async function compiled(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await buildForTests();
  useCompiled(folder);
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

testUnless(
  await missingProgram("openssl"),
  "the compiled programs work away from the checkout, with an empty environment, as another user",
  (t) =>
    compiled(async (folder) => {
      await t.step("join, back up, sign in, show a page, end on signals", async () => {
        await using fleet = await Fleet.start();
        const data = join(fleet.folder, "server");
        const owner = (await Deno.stat(data)).uid;
        assert.equal(owner, Deno.uid() === 0 ? 65_534 : Deno.uid());

        const source = join(fleet.folder, "files");
        await randomFiles(source, 2, 100_000);
        const repository = join(fleet.folder, "repository");
        const input = { name: "r", url: repository, password: PASSWORD, is_new: true };
        const host = await fleet.join("alpha", input, [source]);
        await fleet.repositoryReady(host);
        const job = await fleet.jobIs(await fleet.run(host), "succeeded", "failed");
        assert.equal(job.status, "succeeded", job.reason);
        const listed = await resticByHand(
          anyRestic()!,
          repository,
          ["snapshots", "--json"],
          PASSWORD,
        );
        assert.ok(listed.includes(job.summary.snapshot_id));

        // argon2id in the worker, then a page and what it is drawn with.
        const { stdout } = await runOnce("server", ["user", "reset-password", "alice"], {
          RM_DATA_DIR: data,
        });
        const signedIn = await fetch(`${fleet.url}/api/auth/login`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ username: "alice", password: stdout.trim().split("\n").at(-1) }),
        });
        await signedIn.body?.cancel();
        assert.equal(signedIn.status, 200);
        const page = await (await fetch(`${fleet.url}/login`)).text();
        const assets = [...page.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map((found) =>
          found[1]
        );
        assert.ok(assets.length >= 2, page);
        for (const asset of assets) {
          const response = await fetch(fleet.url + asset);
          const text = await response.text();
          assert.ok(response.ok && text.length > 100, asset);
          // What a script imports is asked for beside it.
          for (const [, name] of text.matchAll(/^import .* from "\.\/(\w+\.js)";$/gm)) {
            assets.push(asset!.replace(/[^/]+$/, name!));
          }
        }

        // Without anything in its data folder it hands out what lies beside it.
        const name = `restic-manager-agent-linux-${
          Deno.build.arch === "aarch64" ? "arm64" : "x64"
        }`;
        await Deno.copyFile(join(folder, "restic-manager-agent"), join(folder, name));
        const arch = Deno.build.arch;
        const handed = await fetch(`${fleet.url}/agent/binary?os=linux&arch=${arch}`);
        const { size } = await Deno.stat(join(folder, name));
        assert.equal((await handed.bytes()).length, size);
        const script = await (await fetch(`${fleet.url}/install/install.sh`)).text();
        assert.match(script, /^#!\/bin\/sh\n/);

        assert.equal(await fleet.agent("alpha").end("SIGTERM"), 0);
        assert.equal(await fleet.server.end("SIGTERM"), 0);
      });

      await t.step("the agent trusts the certificate authority that agent.yaml names", async () => {
        using folder = testFolder();
        const tls = selfSigned(folder.path);
        await using server = new FakeServer({ tls });
        await Deno.mkdir(join(folder.path, "config"));
        await Deno.writeTextFile(
          join(folder.path, "config/agent.yaml"),
          `certificate_authority: ${join(folder.path, "cert.pem")}\n`,
        );
        await using _agent = spawnAgent(folder.path, { RM_SERVER: server.url, RM_TOKEN: "t" });
        await server.hello();
      });

      await t.step("the agent trusts the system's certificate authorities", async () => {
        using folder = testFolder();
        const tls = selfSigned(folder.path);
        await using server = new FakeServer({ tls });
        await using _agent = spawnAgent(folder.path, {
          RM_SERVER: server.url,
          RM_TOKEN: "t",
          // Where the system's authorities are.
          SSL_CERT_FILE: join(folder.path, "cert.pem"),
        });
        await server.hello();
      });
    }),
);
