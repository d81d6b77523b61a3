// ./dev seed: a server with an invented fleet to click through. Everything is made in a new temporary folder, which is removed at
// the end: it opens no folder that someone names, so it cannot touch one that is in use. --once fills, looks and ends.
import { parseArgs } from "node:util";
import { join } from "node:path";
import { readSettings, SettingsError } from "../server/settings.ts";
import { PASSWORD, startServer, type TestServer } from "./support/start_server.ts";
import { PEOPLE, wholeFleet } from "./support/whole_fleet.ts";

const HELP =
  `./dev seed: a server with an invented fleet, to click through. It ends by Ctrl-C and leaves nothing.

  --once        fill it, ask for the dashboard, end
  RM_LISTEN     127.0.0.1:8080 or another address and port of this machine alone
`;

/** The passwords are known to everybody, so nobody else may reach it. */
function readListen(isOnce: boolean): string {
  const text = Deno.env.get("RM_LISTEN") ?? (isOnce ? "127.0.0.1:0" : "127.0.0.1:8080");
  const { hostname } = readSettings((name) => name === "RM_LISTEN" ? text : undefined).listen;
  if (hostname === "localhost" || hostname === "::1" || /^127\./.test(hostname)) return text;
  throw new SettingsError(
    `RM_LISTEN is "${text}", but must be an address of this machine alone, such as 127.0.0.1:8080: the passwords of an invented fleet are known.`,
  );
}

async function seed(isOnce: boolean): Promise<void> {
  const listen = readListen(isOnce);
  const folder = await Deno.makeTempDir({ prefix: "rm-seed-" });
  const ended = stopSignal();
  try {
    await using server = await startServer({
      dataDir: join(folder, "data"),
      env: { RM_LISTEN: listen },
    });
    console.log(`Filling ${folder} …`);
    await using _fleet = await wholeFleet(server);
    const shown = await lookAtDashboard(server);
    console.log(`The dashboard shows ${shown} hosts.`);
    if (isOnce) return;
    printSignIn(server.url);
    await ended;
    console.log("Ending");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Signs in as a person does. Returns how many hosts the dashboard shows; throws where a page does not open. */
async function lookAtDashboard(server: TestServer): Promise<number> {
  const signedIn = await fetch(`${server.url}/login`, {
    method: "POST",
    body: new URLSearchParams({ username: "alice", password: PASSWORD }),
    headers: { origin: server.url },
    redirect: "manual",
  });
  await signedIn.body?.cancel();
  const cookie = signedIn.headers.get("set-cookie")?.split(";")[0];
  if (signedIn.status !== 303 || !cookie) throw new Error(`/login: ${signedIn.status}`);
  const page = await fetch(server.url, { headers: { cookie } });
  const html = await page.text();
  const { items } = (await server.api("alice", "GET", "/api/hosts?limit=100")).body;
  const missing = items.filter(({ name }: { name: string }) => !html.includes(`>${name}<`));
  if (page.status !== 200 || missing.length > 0) {
    throw new Error(`The dashboard: ${page.status}, without ${JSON.stringify(missing)}`);
  }
  return items.length;
}

function printSignIn(url: string): void {
  const lines = PEOPLE.map(([name, role]) => `            ${name.padEnd(8)} ${role}`);
  console.log(`
  Open      ${url}
  Password  ${PASSWORD}
  Sign in as
${lines.join("\n")}

Ctrl-C ends the server and removes all of it.`);
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => resolve());
    }
  });
}

if (import.meta.main) {
  try {
    const { values } = parseArgs({
      args: Deno.args,
      options: { once: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    });
    if (values.help) console.log(HELP.trimEnd());
    else await seed(values.once ?? false);
    Deno.exit(0);
  } catch (error) {
    const isExpected = error instanceof SettingsError || error instanceof TypeError ||
      error instanceof Deno.errors.AddrInUse;
    console.error(isExpected ? error.message : error);
    Deno.exit(1);
  }
}
