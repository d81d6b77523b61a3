import assert from "node:assert/strict";
import { stopAtFirstError } from "../../../agent/jobs/cmd_script.ts";

const CHECK = "if %errorlevel% neq 0 exit /b %errorlevel%";

Deno.test("a script of cmd.exe is asked after each step, but not within blocks, continued lines, labels and comments", () => {
  const script = `rem (a comment
net stop "My (old) service"
if exist c:\\dump (
  del c:\\dump
  echo gone :^)
)
echo not a block (
robocopy a b ^
  /mir

:label
call :sub
goto :eof`;
  assert.deepEqual(
    stopAtFirstError(script.split("\n")).join("\n"),
    `rem (a comment
net stop "My (old) service"
${CHECK}
if exist c:\\dump (
  del c:\\dump
  echo gone :^)
)
${CHECK}
echo not a block (
${CHECK}
robocopy a b ^
  /mir
${CHECK}

:label
call :sub
${CHECK}
goto :eof`,
  );
});

Deno.test("a script that looks at errors itself stays as it is", () => {
  for (const line of ["if ERRORLEVEL 8 exit /b 1", "echo %ErrorLevel%", "del x || echo no x"]) {
    assert.deepEqual(stopAtFirstError(["robocopy a b", line, "x"]), ["robocopy a b", line, "x"]);
  }
});
