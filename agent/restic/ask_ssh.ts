// Why ssh did not come through, when restic only says EOF: what ssh prints reaches restic's output only sometimes, since
// restic does not wait for it before it ends.
import { LineSplitter } from "./lines.ts";
import { ManagedProcess } from "../process.ts";
import { sshTarget } from "./refusals.ts";

const WITHIN_MS = 15_000;
const GRACE_MS = 1000;
const LINES_KEPT = 50;

/**
 * Calls ssh as restic does (manual, "SFTP"), but so that it never asks anything, and returns what it says on stderr.
 * Empty when it came through, is not there, or the repository is not reached by ssh.
 */
export async function askSsh(url: string, environment: Record<string, string>): Promise<string[]> {
  const target = sshTarget(url);
  // Checked when the address was read; said again because a host that begins with a dash would run a program.
  if (!target || /^-/.test(target.host) || /^-/.test(target.user)) return [];
  const { host, user, port } = target;
  const lines: string[] = [];
  const err = new LineSplitter((line) => lines.length < LINES_KEPT && lines.push(line));
  let process: ManagedProcess;
  try {
    process = new ManagedProcess({
      path: "ssh",
      args: [
        "-oBatchMode=yes",
        "-oConnectTimeout=10",
        ...(port ? ["-p", port] : []),
        ...(user ? ["-l", user] : []),
        host,
        "-s",
        "sftp",
      ],
      environment: withoutRepository(environment),
      endSignal: "SIGTERM",
      // It came through.
      onOut: () => process.stop("overdue", GRACE_MS),
      onError: (chunk) => err.push(chunk),
    });
  } catch {
    return ['exec: "ssh": executable file not found'];
  }
  const overdue = setTimeout(() => process.stop("overdue", GRACE_MS), WITHIN_MS);
  try {
    await process.exit;
    err.end();
    return lines;
  } finally {
    clearTimeout(overdue);
  }
}

/** ssh needs none of what is for restic alone. */
function withoutRepository(environment: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) =>
      /^(PATH|HOME|LANG|TZ|TMPDIR|TE?MP|System\w+|USERPROFILE|ProgramData|ComSpec|PATHEXT|SSH_AUTH_SOCK)$/i
        .test(name)
    ),
  );
}
