// Addresses from a grammar per backend, good and bad ones, against the real restic: what we take it takes too, and it goes
// where the normalised form says, worked out here from what it asked for; what we refuse and it takes is on a short list.
import assert from "node:assert/strict";
import { posix } from "node:path";
import fc from "fast-check";
import { parseRepositoryUrl, type RepositoryUrl } from "../../../shared/repository_url.ts";
import { AddressProbe, type Seen } from "../../support/address_probe.ts";
import { restics } from "../../support/restic.ts";

const RUNS = 40;

// ---- the grammar

const word = fc.constantFrom(
  "a",
  "B",
  "srv",
  "My Backups",
  "ü",
  "x.y",
  "2024",
  "22",
  "p+q",
  "-o",
  "~t",
);
const encoded = fc.constantFrom(
  "%61",
  "a%20b",
  "%2e",
  "%2F",
  "%C3%BC",
  "%zz",
  "%3Fq",
  "%00",
  "%20-x",
);
const segment = fc.oneof(
  { weight: 6, arbitrary: word },
  { weight: 2, arbitrary: encoded },
  { weight: 2, arbitrary: fc.constantFrom(".", "..", "") },
  { weight: 1, arbitrary: fc.constantFrom("a?b", "a#b", "a -b", "2222:", ":22", "w@x", "a\\b") },
);
const slash = fc.constantFrom("", "/", "//", "/./", "./", "../", "a/../../");
const path = fc.tuple(slash, fc.array(segment, { maxLength: 4 }), fc.constantFrom("", "/"))
  .map(([begin, segments, end]) => `${begin}${segments.join("/")}${end}`);
const host = fc.constantFrom(
  "nas",
  "nas",
  "host-1",
  "NAS.example.org",
  "nas.example.org.",
  "10.0.0.7",
  "[fd00::1]",
  "-o",
  "a b",
  "bücher.test",
);
const port = fc.constantFrom("", "", "", ":22", ":80", ":443", ":9000", ":", ":99999", ":22x");
const user = fc.constantFrom(
  "",
  "",
  "",
  "al@",
  "al@",
  "al@ex.org@",
  "al%40ex.org@",
  "al:pw@",
  "-l@",
  "a@b@c@",
  "DOM\\al@",
);

const GRAMMAR: Record<string, fc.Arbitrary<string>> = {
  sftp: fc.oneof(
    fc.tuple(user, host, path).map(([u, h, way]) => `sftp:${u}${h}:${way}`),
    fc.tuple(user, host, port, path).map(([u, h, p, way]) => `sftp:${u}${h}${p}:${way}`),
    fc.tuple(user, host, port, path).map(([u, h, p, way]) => `sftp://${u}${h}${p}/${way}`),
  ),
  rest: fc.tuple(
    fc.constantFrom("http://", "http://", "HTTP://", "http:", "http:/", ""),
    fc.constantFrom("", "", "", "al@"),
    host,
    port,
    path,
  )
    .map(([scheme, u, h, p, way]) => `rest:${scheme}${u}${h}${p}/${way}`),
  s3: fc.tuple(
    fc.constantFrom("http://", "http://", "HTTP://", "http:", "", "//"),
    host,
    port,
    fc.constantFrom("/", "/", "/", "//"),
    fc.constantFrom("bucket", "bucket", "Buck-et.1", "bu", "bucket:9000", ""),
    fc.constantFrom("", "/"),
    path,
  )
    .map(([scheme, h, p, s, bucket, t, way]) => `s3:${scheme}${h}${p}${s}${bucket}${t}${way}`),
  b2: fc.tuple(
    fc.constantFrom("bucket", "My-Bucket-1", "bu", "buck.et", "-bucket", "bucket x"),
    fc.constantFrom(":", "", ":9000:"),
    path,
  )
    .map(([name, colon, way]) => `b2:${name}${colon}${colon && way}`),
  gs: fc.tuple(
    fc.constantFrom("bucket", "b.c_d", "", "-bucket", "bu cket"),
    fc.constantFrom(":", ":", ""),
    path,
  )
    .map(([name, colon, way]) => `gs:${name}${colon}${way}`),
  swift: fc.tuple(
    fc.constantFrom("box", "b.c_d", "bo x", "", "-b"),
    fc.constantFrom(":", ":/", ":/", ""),
    path,
  )
    .map(([name, colon, way]) => `swift:${name}${colon}${way}`),
  rclone: fc.tuple(
    fc.constantFrom("gdrive", "Google Drive", "s3.eu+1", ":sftp", "", "-x", "a -b", "r,ssh=id"),
    fc.constantFrom(":", ":", ""),
    path,
  )
    .map(([name, colon, way]) => `rclone:${name}${colon}${way}`),
  local: fc.tuple(fc.constantFrom("/", "local:/", "//", "./", ""), path).map(([begin, way]) =>
    `${begin}${way}`
  ),
};

// ---- where restic went, in the words of the normalised form

const decoded = (text: string) => decodeURIComponent(text);
const clean = (text: string) => posix.normalize(text).replace(/(?<=.)\/$/, "");
const withoutConfig = (text: string) => text.replace(/\/?(config|keys)$/, "");

function hostOf(text: string, usual: string): string {
  const [, name = "", number] = /^(.*?)(?::0*(\d*))?$/.exec(text.toLowerCase())!;
  const name_ = name.replace(/\.$/, "");
  return `${name_}${number && number !== usual ? `:${number}` : ""}`;
}

const WENT: Record<string, (seen: Seen) => string | undefined> = {
  sftp: ({ asked }) => {
    if (!asked[0]) return undefined;
    const { args, path } = JSON.parse(asked[0]) as { args: string[]; path: string };
    const after = (flag: string) => args.includes(flag) ? args[args.indexOf(flag) + 1]! : "";
    const machine = args[0]!.includes(":") ? `[${args[0]}]` : args[0]!;
    const folder = path.startsWith("/") ? withoutConfig(path) || "/" : withoutConfig(path) || ".";
    const [who, number] = [after("-l"), after("-p")];
    return `sftp://${who && `${who}@`}${hostOf(`${machine}:${number}`, "22")}/${folder}`;
  },
  rest: ({ asked }) => {
    const [, machine = "", way = ""] = /^\S+ http:\/\/([^/]*)(\S*) /.exec(asked[0] ?? "") ?? [];
    const folder = clean(`/${decoded(way.replace(/\/config$/, ""))}`);
    return machine && `rest:http://${hostOf(machine, "80")}${folder === "/" ? "" : folder}`;
  },
  s3: ({ asked }) => {
    const [, machine = "", way = ""] = /^\S+ http:\/\/([^/]*)\/([^ ]*) /.exec(asked[0] ?? "") ?? [];
    if (!machine) {
      const tunnel = /^CONNECT (\S+)/.exec(asked[0] ?? "")?.[1];
      return tunnel && `s3:https://${hostOf(tunnel, "443")}/`;
    }
    const prefix = /[?&]prefix=([^&]*)/.exec(way)?.[1];
    const key = decoded(
      prefix === undefined ? way : `${way.split("?")[0]}${prefix.replace(/%2F$/, "")}`,
    );
    // A prefix that is one slash is a prefix.
    const folder = withoutConfig(key).replace(/\/$/, "");
    const end = /^[^/]+\/\/(config|keys)$/.test(key) ? "//" : "";
    return `s3:http://${hostOf(machine, "80")}/${folder}${end}`;
  },
  gs: ({ said }) => {
    const [, bucket = "", key = ""] = /\/storage\/v1\/b\/([^/]*)\/o\/([^?]*)\?/.exec(said) ?? [];
    return bucket && `gs:${decoded(bucket)}:${withoutConfig(decoded(key))}`;
  },
  swift: ({ asked }) => {
    const [, box = "", key = ""] = /\/v1\/AUTH_x\/([^/ ]*)\/(\S*)/.exec(asked.at(-1) ?? "") ?? [];
    const name = decoded(key);
    const folder = withoutConfig(name) || (name.startsWith("/") ? "/" : "");
    return box && `swift:${decoded(box)}:${folder}`;
  },
  rclone: ({ asked }) => {
    const remote = asked.at(-1);
    if (!remote) return undefined;
    const [, name = "", way = ""] = /^(.*?):(.*)$/.exec(remote) ?? [];
    return `rclone:${name}:${
      way && clean(way) !== "."
        ? clean(way).replace(/\/$/, (all) => clean(way) === "/" ? all : "")
        : ""
    }`;
  },
  local: ({ said }) => {
    const file = /stat (.*?): no such file or directory/s.exec(said)?.[1];
    return file && `local:${withoutConfig(file) || "/"}`;
  },
  b2: ({ asked }) => asked[0] && "b2:",
};

/** What we refuse although restic takes it, or reads it otherwise than it was meant. All else that we refuse it refuses too. */
const OUR_OWN = [
  /blank that is followed by -/,
  /begin with -|neither begins/,
  /user and password|a password/,
  /must have (a|its) port|hold a port/,
  /line breaks or control/,
  /form sftp:\/\/user@\[/,
  /at most one @/,
  /query or a fragment|a \? of the path|%5C|user whose other characters/,
  // A made-up remote, and names that begin with a dash or a dot.
  /must look like (rclone|gs|swift)/,
  /must look like sftp/,
  /with a bucket of 6/,
  /must name a bucket/,
  // A path that is not absolute.
  /must be an absolute path/,
];

for (const restic of restics) {
  for (const [backend, arbitrary] of Object.entries(GRAMMAR)) {
    Deno.test(`${backend}: restic ${restic.version} goes where the normalised form says, or we refuse for a reason of our own`, async () => {
      await using probe = await AddressProbe.start();
      let taken = 0;
      await fc.assert(
        fc.asyncProperty(arbitrary, async (address) => {
          const parsed = attempt(address);
          if (parsed instanceof RangeError) {
            if (OUR_OWN.some((reason) => reason.test(parsed.message))) return;
            const { asked, said } = await probe.ask(restic.path, address, 600);
            assert.deepEqual(asked, [], `${address} ${parsed.message} ${said}`);
            return;
          }
          taken++;
          const seen = await probe.ask(restic.path, parsed.url);
          assert.doesNotMatch(seen.said, /parsing repository location/, address);
          const went = WENT[backend]!(seen);
          assert.ok(went, `${address}: ${JSON.stringify(seen)}`);
          // Through a tunnel, or before B2 has said where, no more than the beginning can be seen.
          const isWhole = !went.startsWith("s3:https:") && backend !== "b2";
          if (isWhole) assert.equal(parsed.normalised, punycoded(went), `${address} ${went}`);
          else assert.ok(parsed.normalised.startsWith(punycoded(went)), `${address} ${went}`);
        }),
        { numRuns: RUNS },
      );
      // Few of B2's random spellings are addresses at all.
      assert.ok(taken > 0, `only ${taken} of ${RUNS} were taken`);
    });
  }
}

function attempt(address: string): RepositoryUrl | RangeError {
  try {
    return parseRepositoryUrl(address);
  } catch (error) {
    assert.ok(error instanceof RangeError, `${address}: ${error}`);
    return error;
  }
}

/** The proxy learns of international names as they are typed or as DNS has them. */
function punycoded(went: string): string {
  return went.replace("bücher.test", "xn--bcher-kva.test");
}
