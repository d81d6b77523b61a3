// cmd.exe has no mode that stops at the first error, so a script of several lines asks after each of its steps.

const CHECK = "if %errorlevel% neq 0 exit /b %errorlevel%";
/** A script that looks at errors itself: a step that may fail there is no reason to stop. */
const CHECKS_ITSELF = /\berrorlevel\b|\|\|/i;
/** Lines that are no steps, or after which none follows. */
const NO_STEP =
  /^\s*(?:$|:|@?rem\b|@?echo\s+(?:on|off)\s*$|@?goto\b|@?exit\b|@?(?:set|end)local\b)/i;

/**
 * The lines with a check after each step that stands outside of brackets. A script that refers to ERRORLEVEL or holds ||
 * stays as it is.
 */
export function stopAtFirstError(lines: string[]): string[] {
  if (lines.some((line) => CHECKS_ITSELF.test(line))) return lines;
  let depth = 0;
  let continues = false;
  return lines.flatMap((line) => {
    if (continues || !NO_STEP.test(line)) depth = Math.max(0, depth + brackets(line, depth > 0));
    const wasContinued = continues;
    continues = /(?:^|[^^])(?:\^\^)*\^$/.test(line);
    const isStep = depth === 0 && !continues && (wasContinued || !NO_STEP.test(line));
    return isStep ? [line, CHECK] : [line];
  });
}

/** How many more brackets a line opens than it closes. Outside of any, one that closes is a character like others. */
function brackets(line: string, isInside: boolean): number {
  // What is quoted or escaped is text, and so is what echo prints outside of a block.
  const bare = line.replace(/"[^"]*"?/g, "").replace(/\^./g, "");
  if (!isInside && /^\s*@?echo\b/i.test(bare)) return 0;
  return bare.split("(").length - bare.split(")").length;
}
