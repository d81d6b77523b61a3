import assert from "node:assert/strict";
import { attack } from "../support/trial.ts";
import { rawGet } from "../support/raw_http.ts";
import { startServer } from "../support/start_server.ts";
import { joinCommands } from "../../server/enrolment/join_commands.ts";

const EVIL = [
  "$(id)",
  "`id`",
  "';id;'",
  '";id;"',
  "\nid\n",
  "x|id",
  "%0aid",
  "${IFS}id",
  "<script>",
];

attack({
  id: "S35",
  promise: "the installers are the same text for everybody, whatever a link to them says",
  done:
    "both installers are fetched with shell text in the query, in the path, in headers that a proxy hands on, and over a base URL of each kind; the join command is made for base URLs with brackets and quotes and run by a shell that only prints",
  expected: "the very bytes of the repository; each value of the command arrives as one word",
}, async (see) => {
  await using test = await startServer({ env: { RM_TRUSTED_PROXY: "127.0.0.1" } });
  let fetched = 0;
  for (const name of ["install.sh", "install.ps1"]) {
    const text = await Deno.readTextFile(new URL(`../../deploy/${name}`, import.meta.url));
    for (const evil of EVIL) {
      const headers = {
        "user-agent": evil.replaceAll("\n", " "),
        "x-forwarded-proto": evil.replaceAll("\n", " "),
        "x-forwarded-for": evil.replaceAll("\n", " "),
        referer: `${test.url}/?${encodeURIComponent(evil)}`,
        "accept-language": "x-evil",
      };
      for (const query of ["token", "RM_SERVER", "server", "url", "host", ""]) {
        const path = `/install/${name}?${query}=${encodeURIComponent(evil)}`;
        const response = await fetch(test.url + path, { headers });
        assert.equal(response.status, 200);
        assert.equal(await response.text(), text);
        fetched++;
      }
      const inPath = await rawGet(test.url, `/install/${name}/${encodeURIComponent(evil)}`);
      assert.equal(inPath.status, 404);
      assert.ok(
        !inPath.body.includes(evil) || /application\/json/.test(
          inPath.headers.get("content-type") ?? "",
        ),
      );
    }
    // None of it is made of a template: no name of a host and no token can be in it.
    assert.doesNotMatch(text, /\{\{|rmt_[A-Za-z0-9]/);
  }
  const words: string[] = [];
  for (const base of ["http://[::1]:8080", "https://backup.example.org", "http://10.0.0.1:8080"]) {
    const token = "rmt_-_AZaz09";
    const { linux } = joinCommands(base, token);
    // The pipe's two ends print what they were called with.
    const script =
      `curl() { echo "$2" >&2; }; sh() { printf '%s %s %s\\n' "$RM_SERVER" "$RM_TOKEN" "$#" >&2; }; ${linux}`;
    const { stderr } = await new Deno.Command("/bin/sh", {
      args: ["-c", script],
      clearEnv: true,
      env: { PATH: "/nowhere" },
    }).output();
    const said = new TextDecoder().decode(stderr).trim().split("\n");
    assert.deepEqual(said.sort(), [`${base} ${token} 0`, `${base}/install/install.sh`].sort());
    words.push(said.join(" | "));
  }
  see(`${fetched} fetched, all the same; ${words.join("; ")}`);
});
