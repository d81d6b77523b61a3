import assert from "node:assert/strict";
import { createLog } from "../../agent/log.ts";

Deno.test("the log keeps to its level and to one line per event, with control characters made visible", () => {
  const lines: string[] = [];
  const log = createLog("info", (line) => lines.push(line));
  log.debug("unseen");
  log.warn("one\ntwo \x1b[31m\0");
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /^\d{4}-\d\d-\d\dT\S+Z warn one␊two ␛\[31m␀\n$/);
});
