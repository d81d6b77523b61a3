// What keeps the real restics from a repository, told rightly and within seconds in every version.
import assert from "node:assert/strict";
import { join } from "node:path";
import { JobControl } from "../../../agent/jobs/control.ts";
import { JobLines } from "../../../agent/jobs/lines.ts";
import type { RunContext } from "../../../agent/restic/context.ts";
import { type Run, runRestic } from "../../../agent/restic/run.ts";
import { tellingLines } from "../../../agent/restic/refusals.ts";
import { maskUrlCredentials } from "../../../shared/redact.ts";
import { parseRepositoryUrl } from "../../../shared/repository_url.ts";
import { selfSigned } from "../../support/certificate.ts";
import { leaveOut, missingProgram } from "../../support/left_out.ts";
import { freePort } from "../../support/programs.ts";
import { REST_SERVER } from "../../support/rest_server.ts";
import { placeRepository, type RealRestic, restics } from "../../support/restic.ts";
import { access, testFolder } from "../../support/start_agent.ts";

const NEWEST = join(REST_SERVER, "../restic-new");

function allRestics(): RealRestic[] {
  try {
    const { stdout } = new Deno.Command(NEWEST, { args: ["version"] }).outputSync();
    const version = /^restic (\S+)/.exec(new TextDecoder().decode(stdout))![1]!;
    return [...restics, { path: NEWEST, version }];
  } catch {
    leaveOut("what keeps restic 0.19 from a repository", `${NEWEST} is not prepared`);
    return restics;
  }
}

const VERSIONS = allRestics();
const CONTACT_MS = 6000;

interface Told extends Run {
  seconds: number;
  mayHoldLock: boolean;
  reason: string;
}

async function ask(
  restic: RealRestic,
  address: string,
  folder: string,
  environment: Record<string, string> = {},
  args = ["snapshots", "--json"],
): Promise<Told> {
  let mayHoldLock = false;
  const url = parseRepositoryUrl(address);
  const cacheDir = Deno.makeTempDirSync({ dir: folder });
  const lines = new JobLines({
    jobId: "test",
    now: Date.now,
    redact: (text) => text,
    report: () => {},
  });
  const context: RunContext = {
    restic,
    repository: access(address),
    url,
    snapshotHost: "alpha",
    limits: { bandwidth_up_kib_per_s: null, bandwidth_down_kib_per_s: null },
    environment: {
      PATH: "/usr/bin:/bin",
      HOME: folder,
      RESTIC_REPOSITORY: address,
      RESTIC_PASSWORD: "secret-of-the-repository",
      RESTIC_CACHE_DIR: cacheDir,
      ...environment,
    },
    cacheDir,
    globals: [],
    timeouts: {
      contactMs: CONTACT_MS,
      lookMs: 60_000,
      graceMs: 3000,
      lockWaitMs: 0,
      lockRetryMs: 1,
    },
    lines,
    control: new JobControl({
      onStart: () => {},
      onProcess: () => {},
      onLock: () => mayHoldLock = true,
    }),
  };
  const began = performance.now();
  const run = await runRestic(context, { args, onOut: () => {} });
  lines.flush();
  return {
    ...run,
    seconds: (performance.now() - began) / 1000,
    mayHoldLock,
    reason: run.failure?.reason ?? "",
  };
}

interface Case {
  what: string;
  url: string | ((folder: string) => string);
  code: string;
  reason: RegExp;
  /** Only after our own deadline. */
  isSlow?: boolean;
  environment?: (folder: string) => Record<string, string>;
  args?: string[];
  /** 0.14 asks in another order. */
  from?: string;
}

/** All versions at once: each waits for itself. */
function each({ what, url, code, reason, isSlow, environment, args, from }: Case): void {
  // Servers of the whole file take connections meanwhile.
  Deno.test(
    { name: `${what} is told as ${code}`, sanitizeOps: false, sanitizeResources: false },
    async () => {
      using folder = testFolder();
      const address = typeof url === "string" ? url : url(folder.path);
      const env = environment?.(folder.path) ?? {};
      const versions = VERSIONS.filter(({ version }) => !from || version >= from);
      await Promise.all(versions.map(async (restic) => {
        const told = await ask(restic, address, folder.path, env, args);
        const context = `${restic.version}: ${told.reason}\n${told.errors.text}`;
        assert.equal(told.failure?.status, "failed", context);
        assert.equal(told.failure?.reason_code, code, context);
        assert.match(told.reason, reason, context);
        assert.ok(told.reason.includes(maskUrlCredentials(address)), context);
        assert.ok(!isSlow && told.seconds < 5 || isSlow, `${told.seconds} s, ${context}`);
        if (!isSlow) assert.equal(told.mayHoldLock, false, context);
      }));
    },
  );
}

type Served = (request: Request) => Response | Promise<Response>;

/** Servers of the whole file; they end with it. */
function http(answer: Served, tls?: { cert: string; key: string }): number {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {}, ...tls };
  const server = Deno.serve(options as Deno.ServeTcpOptions, answer);
  server.unref();
  return server.addr.port;
}

function raw(answer: (connection: Deno.Conn) => Promise<unknown>): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.unref();
  const accept = async () => {
    for await (const connection of listener) {
      answer(connection).catch(() => {}).finally(() => {
        try {
          connection.close();
        } catch {
          // The other side was quicker.
        }
      });
    }
  };
  accept();
  return (listener.addr as Deno.NetAddr).port;
}

const never = new Promise(() => {});
const status = (code: number) => http(() => new Response("x", { status: code }));
const rest = (port: number, scheme = "http") => `rest:${scheme}://127.0.0.1:${port}/alpha/`;

using certificates = testFolder();
const noOpenssl = await missingProgram("openssl");
const plain = status(404);
const page = (text: string) =>
  http(() => new Response(text, { headers: { "content-type": "text/html" } }));

const CASES: Case[] = [
  {
    what: "a closed port",
    url: rest(freePort()),
    code: "unreachable",
    reason: /^The repository cannot be reached \(connection refused\): .*start the server/,
  },
  {
    what: "a name that nobody knows",
    url: "rest:http://no-such-name.invalid:8000/alpha/",
    code: "unknown_name",
    reason: /^The name in the repository's address is not known .*Check the name/,
  },
  {
    what: "https where plain http is spoken",
    url: rest(plain, "https"),
    code: "wrong_protocol",
    reason: /says https, but the server there speaks plain http.*Write http:/,
  },
  {
    what: "no repository",
    url: rest(plain),
    code: "no_repository",
    reason: /^No repository at/,
  },
  {
    what: "401",
    url: rest(status(401)),
    code: "access_denied",
    reason: /refused user or password \(401\).*Set the right/,
  },
  {
    what: "403",
    url: rest(status(403)),
    code: "access_denied",
    reason: /\(403\).*private repositories/,
  },
  ...[400, 405, 410, 501].map((code) => ({
    what: String(code),
    url: rest(status(code)),
    code: "http_error",
    reason: new RegExp(`does not take what restic asks \\(${code} .*Check host, port and path`),
  })),
  {
    what: "a proxy's 407",
    url: rest(status(407)),
    code: "http_error",
    reason: /proxy .* asks for a password \(407\)/,
  },
  ...[429, 500, 502, 503].map((code) => ({
    what: String(code),
    url: rest(status(code)),
    code: "unreachable",
    reason: new RegExp(`cannot answer now \\(${code} `),
    isSlow: true,
  })),
  {
    what: "the login page of a network",
    url: rest(page("<html><body>Please log in</body></html>")),
    code: "wrong_protocol",
    reason: /is no server for repositories \(Decode: invalid character.*login page/,
  },
  {
    what: "an address that leads to a closed port",
    url: rest(http(() => Response.redirect("http://127.0.0.1:9/", 302))),
    code: "unreachable",
    reason: /connection refused/,
  },
  {
    what: "another protocol",
    url: rest(raw((connection) => connection.write(new TextEncoder().encode("SSH-2.0-X\r\n")))),
    code: "wrong_protocol",
    reason: /is no server for repositories/,
  },
  {
    what: "an echo",
    url: rest(raw((connection) => connection.readable.pipeTo(connection.writable))),
    code: "wrong_protocol",
    reason: /is no server for repositories \(malformed HTTP/,
  },
  {
    what: "an echo at an address with 404 in it",
    url: rest(raw((connection) => connection.readable.pipeTo(connection.writable)))
      .replace("alpha", "host-404"),
    code: "wrong_protocol",
    reason: /is no server for repositories \(malformed HTTP/,
  },
  {
    what: "an echo with https",
    url: rest(raw((connection) => connection.readable.pipeTo(connection.writable)), "https"),
    code: "wrong_protocol",
    reason: /is no server for repositories/,
  },
  {
    what: "a server that hangs up",
    url: rest(raw((connection) => connection.read(new Uint8Array(99)))),
    code: "unreachable",
    reason: /ended the connection without an answer \(EOF\)|connection reset/,
    isSlow: true,
  },
  {
    what: "a server that takes the connection and says nothing",
    url: rest(raw(() => never)),
    code: "unreachable",
    reason: /^The repository did not answer within 6 s: rest:/,
    isSlow: true,
  },
  {
    what: "a proxy that is not there",
    url: "rest:http://backup.example:8000/alpha/",
    environment: () => ({ HTTP_PROXY: `http://127.0.0.1:${freePort()}` }),
    code: "unreachable",
    reason: /^The proxy that this host is to use cannot be reached .*HTTP_PROXY/,
  },
  {
    what: "a missing rclone",
    url: "rclone:remote:path",
    environment: (folder) => ({ PATH: folder }),
    code: "program_missing",
    reason: /^This host has no rclone.*Install it/,
  },
  {
    what: "a missing ssh",
    url: "sftp:backup@storage.example:/r",
    environment: (folder) => ({ PATH: folder }),
    code: "program_missing",
    reason: /^This host has no ssh/,
  },
];
if (noOpenssl) leaveOut("what keeps restic from a repository with https", noOpenssl);
else {
  const tls = selfSigned(certificates.path);
  const secure = http(() => new Response("", { status: 404 }), tls);
  CASES.push(
    {
      what: "a certificate of an unknown authority",
      url: rest(secure, "https"),
      code: "unknown_authority",
      reason: /authority that this host does not know.*update-ca-certificates/,
    },
    {
      what: "a certificate for another name",
      url: `rest:https://localhost:${secure}/alpha/`,
      environment: () => ({ SSL_CERT_FILE: join(certificates.path, "cert.pem") }),
      code: "bad_certificate",
      reason: /is not valid \(.*localhost.*use the name/,
    },
    {
      what: "plain http where https is spoken",
      url: rest(secure),
      code: "wrong_protocol",
      reason: /says http, but the server there speaks https.*Write https:/,
    },
  );
}

const SFTP = "sftp://backup@storage.example:2222//srv/r";

/** An ssh that says what OpenSSH 9.2 says; with `late` not where restic still hears it. */
const ssh = (words: string, late = false) => (folder: string) => {
  const says = `cat >&2 <<'EOF'\n${words}\nEOF`;
  const said = late ? `case "$*" in *BatchMode=yes*) ${says}\n;; esac` : says;
  Deno.writeTextFileSync(join(folder, "ssh"), `#!/bin/sh\n${said}\nexit 255\n`, { mode: 0o755 });
  return { PATH: `${folder}:/usr/bin:/bin` };
};

const CHANGED = `@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Offending ED25519 key in /root/.ssh/known_hosts:1
Host key verification failed.`;

for (const late of [false, true]) {
  const note = late ? ", heard only when ssh is asked again" : "";
  const sftp = (what: string, words: string, code: string, reason: RegExp): Case => ({
    what: `${what}${note}`,
    url: SFTP,
    code,
    reason,
    environment: ssh(words, late),
  });
  CASES.push(
    sftp(
      "an unknown ssh host key",
      "Host key verification failed.",
      "unknown_host_key",
      /does not know the host key.*run `ssh -p 2222 backup@storage\.example` on this host, compare/,
    ),
    sftp(
      "a changed ssh host key",
      CHANGED,
      "changed_host_key",
      /another one than before.*ssh-keygen -R '\[storage\.example\]:2222'/,
    ),
    sftp(
      "a refused ssh key",
      "backup@storage.example: Permission denied (publickey,password).",
      "access_denied",
      /refused the ssh login \(Permission denied \(publickey,password\)\).*authorized_keys/,
    ),
    sftp(
      "an ssh server whose name nobody knows",
      "ssh: Could not resolve hostname storage.example: Name or service not known",
      "unknown_name",
      /is not known \(Could not resolve hostname/,
    ),
    sftp(
      "an ssh server that is not there",
      "ssh: connect to host storage.example port 2222: Connection refused",
      "unreachable",
      /cannot be reached \(connection refused\)/,
    ),
  );
}

for (const one of CASES) each(one);

Deno.test({
  name:
    "a web server that only hands out a repository's files is told within seconds, and leaves no lock to look for",
  sanitizeOps: false,
  sanitizeResources: false,
}, async () => {
  await Promise.all(VERSIONS.map(async (restic) => {
    using folder = testFolder();
    const repository = join(folder.path, "repository");
    await placeRepository(restic, repository);
    const port = http(async ({ method, url }) => {
      const path = join(repository, new URL(url).pathname.replace(/^\/alpha/, ""));
      if (method !== "GET" && method !== "HEAD") return new Response("", { status: 405 });
      if (!path.endsWith("/")) return new Response(await Deno.readFile(path));
      const names = [...Deno.readDirSync(path)].map(({ name }) => name);
      return Response.json(names, {
        headers: { "content-type": "application/vnd.x.restic.rest.v1" },
      });
    });
    const told = await ask(restic, rest(port), folder.path);
    const context = `${restic.version}: ${told.reason}\n${told.errors.text}`;
    assert.equal(told.failure?.reason_code, "http_error", context);
    assert.match(told.reason, /405 Method Not Allowed.*only hands out files/, context);
    assert.ok(told.seconds < 8 && !told.mayHoldLock, context);
  }));
});

Deno.test("what stands in the name of a file explains no failure", () => {
  const file =
    "error: /home/mallory/x509: certificate signed by unknown authority: permission denied";
  assert.deepEqual(tellingLines(`${file}\nFatal: other`), ["Fatal: other"]);
});
