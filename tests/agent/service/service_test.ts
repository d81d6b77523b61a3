// What the service managers are told. Whether they do it is shown on a Windows (tests/windows) and in a mount namespace below.
import assert from "node:assert/strict";
import { join } from "node:path";
import { aclCommands } from "../../../agent/service/acl.ts";
import { nssmSettings } from "../../../agent/service/nssm.ts";
import { removeOldLogs } from "../../../agent/service/old_logs.ts";
import { readEnvironment, ServiceProblem } from "../../../agent/service/service.ts";
import { unitFor } from "../../../agent/service/systemd.ts";
import { removeTraces, STATE } from "../../../agent/service/traces.ts";
import { readSettings } from "../../../agent/settings.ts";
import { testFolder } from "../../support/start_agent.ts";

Deno.test("NSSM starts the agent with the machine, gives it time to stop, and again after a crash, but not after exit code 7", () => {
  const settings = nssmSettings({
    program: "C:\\Program Files\\restic-manager\\restic-manager-agent.exe",
    configDir: "C:\\ProgramData\\restic-manager",
    stateDir: "C:\\ProgramData\\restic-manager",
    environment: { RM_RESTIC: "C:\\my tools\\restic.exe" },
  });
  const told = settings.map((words) => words.join(" "));
  for (
    const line of [
      "Application C:\\Program Files\\restic-manager\\restic-manager-agent.exe",
      "AppParameters run",
      "ObjectName LocalSystem",
      "Start SERVICE_AUTO_START",
      "AppStopMethodConsole 15000",
      "AppExit Default Restart",
      "AppExit 7 Exit",
      "AppRotateFiles 1",
      "AppEnvironmentExtra RM_RESTIC=C:\\my tools\\restic.exe",
    ]
  ) assert.ok(told.includes(line), line);
  // All ways of ending a program stay: one that ignores Ctrl-C must not live on.
  assert.ok(!told.some((line) => line.startsWith("AppStopMethodSkip")));
});

Deno.test("folders are taken over and shut to everybody but SYSTEM and Administrators, by SID", () => {
  const [owner, reset, rights] = aclCommands("C:\\ProgramData\\restic-manager");
  assert.deepEqual(owner!.slice(1, 3), ["/setowner", "*S-1-5-32-544"]);
  assert.equal(reset![1], "/reset");
  assert.deepEqual(rights!.slice(1, 5), [
    "/inheritance:r",
    "/grant:r",
    "*S-1-5-18:(OI)(CI)F",
    "*S-1-5-32-544:(OI)(CI)F",
  ]);
});

Deno.test("the unit names this program and this folder, and refuses names that systemd reads otherwise", () => {
  const unit = unitFor("/opt/rm/agent", "/opt/rm/etc");
  assert.match(unit, /^ExecStart=\/opt\/rm\/agent run$/m);
  assert.match(unit, /^EnvironmentFile=-\/opt\/rm\/etc\/agent\.env$/m);
  assert.match(unit, /^RestartPreventExitStatus=7$/m);
  assert.match(unit, /^KillMode=mixed$/m);
  for (const name of ["/opt/my agent", "/opt/%h/agent", "/opt/a\nExecStart=/bin/sh", "/opt/$x"]) {
    assert.throws(() => unitFor(name, "/etc/restic-manager"), ServiceProblem);
  }
});

Deno.test("an upgrade keeps the settings of before", () => {
  const before = "RM_RESTIC=/opt/restic\nsomething else\nRM_LOG_LEVEL=debug\n";
  assert.deepEqual(readEnvironment(before), {
    RM_RESTIC: "/opt/restic",
    RM_LOG_LEVEL: "debug",
  });
});

Deno.test("the ten newest of the logs that were put aside are kept, and what is no log of ours", () => {
  using folder = testFolder();
  const logs = join(folder.path, "logs");
  removeOldLogs(folder.path);
  Deno.mkdirSync(logs);
  const name = (day: number) => `agent-202611${String(day).padStart(2, "0")}T212253.171.log`;
  for (let day = 1; day <= 12; day++) Deno.writeTextFileSync(join(logs, name(day)), "");
  for (const other of ["agent.log", "notes.log"]) Deno.writeTextFileSync(join(logs, other), "");
  removeOldLogs(folder.path);
  const left = [...Deno.readDirSync(logs)].map(({ name }) => name).sort();
  const newest = Array.from({ length: 10 }, (_, n) => name(n + 3));
  assert.deepEqual(left, [...newest, "agent.log", "notes.log"].sort());
});

Deno.test("removing the agent's traces leaves what is not the agent's, and says where", () => {
  using folder = testFolder();
  const [configDir, stateDir] = [join(folder.path, "config"), join(folder.path, "state")];
  const settings = readSettings((name) =>
    ({ RM_CONFIG_DIR: configDir, RM_STATE_DIR: stateDir })[name]
  );
  Deno.mkdirSync(configDir);
  Deno.writeTextFileSync(join(configDir, "agent.yaml"), "# nothing yet\n");
  for (const name of STATE) Deno.mkdirSync(join(stateDir, name, "below"), { recursive: true });
  Deno.mkdirSync(join(stateDir, "repository"));
  assert.deepEqual(removeTraces(settings), [stateDir]);
  assert.deepEqual([...Deno.readDirSync(stateDir)].map(({ name }) => name), ["repository"]);
  Deno.removeSync(join(stateDir, "repository"));
  assert.deepEqual(removeTraces(settings), []);
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});
