// The examples for reverse proxies, run with the real proxy in front of a real server: pages, sign-in, agents over
// WebSocket, and lines that arrive while the job runs.
import assert from "node:assert/strict";
import { firstOf, missingProgram, testUnless } from "../support/left_out.ts";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { selfSigned } from "../support/certificate.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/programs.ts";
import { FakeAgent, joinHost } from "../support/fake_agent.ts";
import { PASSWORD, startServer } from "../support/start_server.ts";
import { testFolder } from "../support/start_agent.ts";

const example = (name: string) =>
  Deno.readTextFileSync(fileURLToPath(new URL(`../../deploy/proxy/${name}`, import.meta.url)));

interface Proxy {
  program: string;
  /** Writes its configuration below the folder; returns its arguments. */
  configure: (folder: string, port: number, backend: string) => string[];
}

const PROXIES: Proxy[] = [
  {
    program: "nginx",
    configure(folder, port, backend) {
      const [site] = example("nginx.conf").split("\nserver {\n    listen 80;");
      const text = site!
        .replace("server 127.0.0.1:8080;", `server ${backend};`)
        .replace(
          "    listen 443 ssl;\n    listen [::]:443 ssl;",
          `    listen 127.0.0.1:${port} ssl;`,
        )
        .replace(/server_name .*/, "server_name 127.0.0.1;")
        .replace(/ssl_certificate .*/, `ssl_certificate ${folder}/cert.pem;`)
        .replace(/ssl_certificate_key .*/, `ssl_certificate_key ${folder}/key.pem;`);
      Deno.writeTextFileSync(
        join(folder, "nginx.conf"),
        `daemon off;
pid ${folder}/nginx.pid;
error_log stderr;
user root;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  ${text}
}
`,
      );
      return ["-p", folder, "-c", join(folder, "nginx.conf")];
    },
  },
  {
    program: "caddy",
    configure(folder, port, backend) {
      const text = example("Caddyfile")
        .replace(
          "backup.example.org {",
          `https://127.0.0.1:${port} {\n\ttls ${folder}/cert.pem ${folder}/key.pem`,
        )
        .replace("127.0.0.1:8080", backend)
        // There is one block of global options.
        .replace(
          "{\n\tservers",
          "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n\tservers",
        );
      Deno.writeTextFileSync(join(folder, "Caddyfile"), text);
      return ["run", "--config", join(folder, "Caddyfile"), "--adapter", "caddyfile"];
    },
  },
];

for (const proxy of PROXIES) {
  const missing = firstOf(await missingProgram(proxy.program), await missingProgram("openssl"));
  testUnless(
    missing,
    `behind ${proxy.program}, as the example sets it up, everything works and nothing is held back`,
    async () => {
      using folder = testFolder();
      const tls = selfSigned(folder.path);
      const port = freePort();
      const url = `https://127.0.0.1:${port}`;
      await using test = await startServer({
        env: { RM_BASE_URL: url, RM_TRUSTED_PROXY: "127.0.0.1" },
      });
      const args = proxy.configure(folder.path, port, new URL(test.url).host);
      const child = new Deno.Command(proxy.program, {
        args,
        env: { HOME: folder.path },
        stdout: "null",
        stderr: "piped",
      }).spawn();
      const said = new Response(child.stderr).text();
      using client = Deno.createHttpClient({ caCerts: [tls.cert] });
      const get = (path: string, init: RequestInit = {}) =>
        fetch(url + path, { ...init, client, redirect: "manual" });
      try {
        await eventually("the proxy answers", async () => {
          const answer = await get("/healthz");
          await answer.body?.cancel();
          return answer.ok;
        });
        // A form as a browser sends it, from the address that people see.
        const signedIn = await get("/login", {
          method: "POST",
          headers: { "Origin": url, "X-Forwarded-For": "203.0.113.9" },
          body: new URLSearchParams({ username: "alice", password: PASSWORD }),
        });
        assert.equal(signedIn.status, 303, await signedIn.text());
        const cookie = signedIn.headers.get("set-cookie")!;
        assert.match(cookie, /^__Host-rm_session=.*Secure/);
        const page = await get("/", { headers: { Cookie: cookie.split(";")[0]! } });
        assert.equal(page.status, 200);
        assert.match(await page.text(), /restic-manager/);
        assert.match(page.headers.get("strict-transport-security") ?? "", /max-age/);
        const { items } = (await test.api("alice", "GET", "/api/audit?limit=1")).body;
        // What someone writes into the header himself is not believed.
        assert.equal(items[0].address, "127.0.0.1", JSON.stringify(items[0]));

        const host = await joinHost(test, "alpha");
        const agent = await FakeAgent.dial(url, host.bearer, client);
        agent.hello();
        const order = await agent.next("command.run", ({ kind }) => kind === "init");
        agent.started(order.job_id);
        const id = order.job_id;
        const token = test.tokens.alice;
        const stream = await get(`/api/jobs/${id}/stream`, {
          headers: { Authorization: `Bearer ${token}`, "Accept-Encoding": "gzip" },
        });
        const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
        let text = "";
        for (let n = 1; n <= 3; n++) {
          agent.lines(id, n, [`line ${n}`]);
          // The job goes on: whatever holds lines back would hold them for ever.
          while (!text.includes(`line ${n}`)) {
            const { done, value } = await reader.read();
            assert.ok(!done, "the stream ended");
            text += value;
          }
        }
        await reader.cancel();
        await agent.close();
      } catch (error) {
        child.kill("SIGTERM");
        throw new Error(`${proxy.program} said: ${await said}`, { cause: error });
      }
      child.kill("SIGTERM");
      await child.status;
      await said;
    },
  );
}
