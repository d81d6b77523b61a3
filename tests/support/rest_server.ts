// restic's own REST server as a process, where it is prepared; appendOnly keeps everybody but nobody's requests from deleting.
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { missingFile } from "./left_out.ts";
import { freePort } from "./programs.ts";

export const REST_SERVER = join(Deno.env.get("HOME") ?? "/root", ".cache/rest-server/rest-server");

export interface RestServer extends AsyncDisposable {
  /** rest:http://127.0.0.1:port/ */
  url: string;
}

/** Why there is none, or undefined. */
export const missingRestServer = await missingFile(REST_SERVER, "rest-server (get-rest-server.sh)");

/** Serves a folder without users, or to those of an htpasswd file. Two of them may serve one folder, one of them append-only. */
export async function startRestServer(
  folder: string,
  appendOnly = false,
  users?: string,
): Promise<RestServer> {
  const port = freePort();
  const child = new Deno.Command(REST_SERVER, {
    args: [
      "--path",
      folder,
      "--listen",
      `127.0.0.1:${port}`,
      ...(users ? ["--htpasswd-file", users] : ["--no-auth"]),
      ...(appendOnly ? ["--append-only"] : []),
    ],
    stdout: "null",
    stderr: "null",
  }).spawn();
  await eventually("rest-server listens", async () => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.close();
    return true;
  });
  return {
    url: `rest:http://127.0.0.1:${port}/`,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await child.status;
    },
  };
}
