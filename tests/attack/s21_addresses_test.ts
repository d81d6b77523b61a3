import assert from "node:assert/strict";
import { join } from "node:path";
import { parseRepositoryUrl } from "../../shared/repository_url.ts";
import { attack } from "../support/trial.ts";
import { OLD, waysToGive } from "../support/repository_ways.ts";
import { restics } from "../support/restic.ts";
import { testFolder } from "../support/start_agent.ts";
import { startServer } from "../support/start_server.ts";

const OPTION = "-oProxyCommand=touch${IFS}MARK";
/** Hosts, users and paths that ssh or rclone could read as an option, and spellings of the dash. */
const DASHES = ["-", "%2D", "%2d", " -", "\t-", "\u2010", "\u00a0-", "[-", "'-", '"-', "\\-"];
const OUTRIGHT = DASHES.flatMap((dash) => {
  const option = `${dash}${OPTION.slice(1)}`;
  return [
    `sftp:${option}:/r`,
    `sftp://${option}/r`,
    `sftp:${option}@host:/r`,
    `sftp:user@${option}:/r`,
    `sftp://user@${option}:22//r`,
    `SFTP:a@b@${option}:/r`,
  ];
}).concat([
  ...[`sftp:ho st ${OPTION}:/r`, `sftp:host\n${OPTION}:/r`, `sftp:;id:/r`, `sftp:$(id):/r`],
  ...[`sftp:\`id\`:/r`, `sftp:host|id:/r`, `sftp://[${OPTION}]/r`, `sftp:[::1%25${OPTION}]:/r`],
  ...["sftp:-oProxyCommand=id:/r", "sftp://-oProxyCommand=id/r", "sftp:u@-F:/r", "sftp:-D@h:/r"],
  ...[`rclone:${OPTION}:r`, `rclone::sftp,ssh="touch MARK":r`, `rclone::local,x=y:/r`],
  ...[`rclone:remote,command=id:r`, `ext::sh -c id`, `${OPTION}`, `--option=sftp.command=id`],
]);
/** Odd, and taken: what restic does with them is looked at. */
const ODD = [
  ...[`sftp:user@host:${OPTION}`, `sftp:host:/${OPTION}`, `sftp://user@host//${OPTION}`],
  ...["sftp:host:./-r", "sftp:al@ex.org@host:/x y", "rclone:remote:-r", "rclone:remote:a;id"],
];

attack({
  id: "S21",
  promise: "no address of a repository makes a machine start a program or reach an option of ssh",
  done:
    `${OUTRIGHT.length} addresses that hide an option are given by each route and form that takes one; those that are odd and taken are opened by the real restic with an ssh and an rclone that write down their arguments`,
  expected:
    "422 each, nothing sent to the agent; of what is taken no argument is an option that restic does not give itself",
}, async (see) => {
  await using test = await startServer();
  await using ways = await waysToGive(test);
  for (const [way, give] of Object.entries(ways.give)) {
    for (const url of OUTRIGHT) {
      const { status, text } = await give({ url });
      assert.ok(status === 422, `${way} ${url}: ${status} ${text.slice(0, 200)}`);
    }
  }
  const addresses = ways.agent.received.filter((each) => each.type === "config.update")
    .map(({ repository }) => repository?.url);
  assert.deepEqual([...new Set(addresses)], [OLD]);
  for (const url of OUTRIGHT) assert.throws(() => parseRepositoryUrl(url), RangeError, url);

  using folder = testFolder();
  const record = join(folder.path, "record");
  for (const name of ["ssh", "rclone"]) {
    const shim = `#!/bin/sh\nprintf '%s\\037' "$@" >> '${record}'; echo >> '${record}'\nexit 1\n`;
    await Deno.writeTextFile(join(folder.path, name), shim, { mode: 0o755 });
  }
  await Deno.writeTextFile(record, "");
  for (const restic of restics) {
    await Promise.all(ODD.map(async (url) => {
      const { url: RESTIC_REPOSITORY } = parseRepositoryUrl(url);
      await new Deno.Command(restic.path, {
        args: ["cat", "config", "--no-cache"],
        env: { RESTIC_REPOSITORY, RESTIC_PASSWORD: "x", PATH: folder.path },
        clearEnv: true,
        cwd: folder.path,
        stdin: "null",
        signal: AbortSignal.timeout(5000),
      }).output();
    }));
  }
  const calls = (await Deno.readTextFile(record)).split("\n").filter(Boolean)
    .map((line) => line.split("\x1f").filter(Boolean));
  // The options that restic itself gives to ssh and rclone.
  const known = /^(-l|-s|-p|--b2-hard-delete|--stdio|--addr|--drive-use-trash=.*|--verbose)$/;
  const odd = calls.flatMap((args) => args.filter((each) => /^-/.test(each) && !known.test(each)));
  see(
    `${OUTRIGHT.length} addresses × ${
      Object.keys(ways.give).length
    } ways: 422 each; ${calls.length} starts of ssh and rclone by ${ODD.length} odd ones, options that restic did not give: ${
      odd.join(" ") || "none"
    }`,
  );
  assert.ok(calls.length >= ODD.length * restics.length * 0.9, `${calls.length} calls`);
  // A path behind `rclone serve restic` stands with its remote, never alone.
  assert.deepEqual(odd, []);
  await assert.rejects(Deno.stat(join(folder.path, "MARK")), Deno.errors.NotFound);
});
