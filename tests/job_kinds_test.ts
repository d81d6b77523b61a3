// A kind of job is a line in each of four tables; the compiler sees one that is missing, and this one that is too many.
import assert from "node:assert/strict";
import { AGENT_KINDS } from "../agent/jobs/kinds.ts";
import { SERVER_KINDS } from "../server/job_kinds/all.ts";
import { type JobKind, KINDS } from "../shared/job_kinds/all.ts";
import type { JobKindTraits } from "../shared/job_kinds/kind.ts";
import { readServerMessage } from "../shared/wire.ts";
import { PAGE_KINDS } from "../templates/jobs/kinds/all.ts";

const KIND_NAMES = Object.keys(KINDS) as JobKind[];
const ID = "01890000-0000-7000-8000-000000000001";

Deno.test("the four tables of job kinds hold the same kinds", () => {
  for (const table of [SERVER_KINDS, AGENT_KINDS, PAGE_KINDS]) {
    assert.deepEqual(Object.keys(table).sort(), [...KIND_NAMES].sort());
  }
});

Deno.test("a kind runs in a repository or without one, as its traits say", () => {
  for (const kind of KIND_NAMES) {
    const { run, runAlone } = AGENT_KINDS[kind];
    const { usesRepository } = KINDS[kind];
    assert.deepEqual(
      [run !== undefined, runAlone !== undefined],
      [usesRepository, !usesRepository],
      kind,
    );
  }
});

Deno.test("a kind that people start somewhere has a start, and one with the admin credential is exclusive", () => {
  for (const kind of KIND_NAMES) {
    const traits: JobKindTraits = KINDS[kind];
    assert.equal(SERVER_KINDS[kind].start !== undefined, traits.startedFrom.length > 0, kind);
    if (traits.credential === "admin") assert.equal(traits.lease, "exclusive", kind);
    if (traits.lease !== "none") assert.ok(traits.usesRepository && traits.writes, kind);
    if (traits.isMaintenance) assert.equal(traits.lease, "exclusive", kind);
  }
});

Deno.test("an order keeps the fields of its own kind alone", () => {
  const common = { type: "command.run", job_id: ID, repository_id: ID };
  const smuggled = {
    admin_access: {
      id: ID,
      url: "/r",
      password: "p",
      username: null,
      rest_password: null,
      environment: {},
    },
    remove_all: { hostname: "h", locks: ["aaaaaaaa"] },
    may_create: true,
  };
  const read = (kind: string) =>
    Object.keys(readServerMessage(JSON.stringify({ ...common, kind, ...smuggled })));
  assert.ok(read("prune").includes("admin_access"));
  assert.ok(!read("check").includes("admin_access"));
  assert.deepEqual(read("unlock").filter((name) => name in smuggled), ["remove_all"]);
  assert.deepEqual(read("init").filter((name) => name in smuggled), ["may_create"]);
  assert.deepEqual(read("stats").filter((name) => name in smuggled), []);
  for (const kind of ["download", "diff", "", "constructor"]) assert.throws(() => read(kind), kind);
});
