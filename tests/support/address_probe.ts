// Where the real restic goes for an address: fake programs for ssh and rclone on its PATH, a proxy that notes what is asked
// for, and what it says itself.
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FAKE_SSH = fileURLToPath(new URL("./fake_ssh.ts", import.meta.url));

export interface Seen {
  /** What ssh, rclone or the proxy was asked, the first thing first. */
  asked: string[];
  /** What restic printed. */
  said: string;
}

export class AddressProbe implements AsyncDisposable {
  #asked: string[] = [];
  #onAsked = () => {};
  readonly #closing = new Set<Deno.Conn>();

  private constructor(
    readonly folder: string,
    private readonly proxy: Deno.TcpListener,
  ) {}

  static async start(): Promise<AddressProbe> {
    const folder = await Deno.makeTempDir({ prefix: "rm-addresses-" });
    await program(folder, "ssh", `exec ${Deno.execPath()} run -A --no-check ${FAKE_SSH} "$@"`);
    await program(folder, "rclone", `printf '%s\\n' "$@" >> "$RECORD"; exit 1`);
    const probe = new AddressProbe(folder, Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    probe.#serve();
    return probe;
  }

  /** Asks restic for the config of what is at the address. It is ended once the proxy was asked for anything, or in time. */
  async ask(restic: string, address: string, withinMs = 10_000): Promise<Seen> {
    const record = join(this.folder, "record");
    await Deno.writeTextFile(record, "");
    const proxy = `http://127.0.0.1:${this.proxy.addr.port}`;
    const process = new Deno.Command(restic, {
      args: ["cat", "config", "--no-lock", "--no-cache"],
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: {
        PATH: `${this.folder}:/usr/bin:/bin`,
        HOME: this.folder,
        RECORD: record,
        RESTIC_PASSWORD: "x",
        RESTIC_REPOSITORY: address,
        HTTP_PROXY: proxy,
        HTTPS_PROXY: proxy,
        AWS_ACCESS_KEY_ID: "id",
        AWS_SECRET_ACCESS_KEY: "secret-of-the-test",
        AWS_DEFAULT_REGION: "us-east-1",
        B2_ACCOUNT_ID: "id",
        B2_ACCOUNT_KEY: "key",
        GOOGLE_PROJECT_ID: "project",
        GOOGLE_ACCESS_TOKEN: "token",
        ST_AUTH: `${proxy}/auth/v1.0`,
        ST_USER: "user",
        ST_KEY: "key",
      },
    }).spawn();
    this.#asked = [];
    const asked = new Promise<void>((resolve) => this.#onAsked = resolve);
    let deadline: number | undefined;
    const over = new Promise<void>((resolve) => deadline = setTimeout(resolve, withinMs));
    const output = process.output();
    await Promise.race([asked, over, output]);
    const settle = setTimeout(() => kill(process), 300);
    const { stdout, stderr } = await output;
    clearTimeout(settle);
    clearTimeout(deadline);
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    const recorded = (await Deno.readTextFile(record)).split("\n").filter((line) => line !== "");
    return {
      asked: [...recorded, ...this.#asked],
      said: decode(stdout) + decode(stderr),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.proxy.close();
    for (const connection of this.#closing) connection.close();
    await Deno.remove(this.folder, { recursive: true });
  }

  async #serve(): Promise<void> {
    for await (const connection of this.proxy) {
      this.#closing.add(connection);
      this.#answer(connection).catch(() => {}).finally(() => {
        if (this.#closing.delete(connection)) connection.close();
      });
    }
  }

  async #answer(connection: Deno.Conn): Promise<void> {
    const chunk = new Uint8Array(65_536);
    for (let read; (read = await connection.read(chunk)) !== null;) {
      const line = new TextDecoder().decode(chunk.subarray(0, read)).split("\r\n")[0]!;
      const isLogin = line.includes("/auth/v1.0");
      // Swift looks for its container first.
      const isContainer = /\/v1\/AUTH_x\/[^/]*$/.test(line.split(" ")[1]!);
      if (!isLogin && !isContainer) {
        this.#asked.push(line);
        this.#onAsked();
      }
      await connection.write(new TextEncoder().encode(
        isLogin
          ? `HTTP/1.1 200 OK\r\nX-Storage-Url: http://storage.test/v1/AUTH_x\r\nX-Auth-Token: t\r\nContent-Length: 0\r\n\r\n`
          : `HTTP/1.1 ${
            line.startsWith("CONNECT") ? 502 : isContainer ? 204 : 404
          } no\r\nX-Container-Bytes-Used: 0\r\nX-Container-Object-Count: 0\r\nContent-Length: 0\r\n\r\n`,
      ));
    }
  }
}

function kill(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGKILL");
  } catch {
    // It has ended.
  }
}

async function program(folder: string, name: string, text: string): Promise<void> {
  const file = join(folder, name);
  await Deno.writeTextFile(file, `#!/bin/sh\n${text}\n`);
  await Deno.chmod(file, 0o755);
}
