// The far end of the server's tests: speaks the protocol over a real socket and does only what it is told.
import type { AnyServerMessage } from "./any_order.ts";
import { newId } from "../../shared/new_id.ts";
import {
  type AgentMessage,
  type Hello,
  PROTOCOL_VERSION,
  type ServerMessage,
} from "../../shared/protocol.ts";
import { type StreamEnd, streamFrame, type StreamOpen } from "../../shared/stream.ts";
import { readServerMessage } from "../../shared/wire.ts";
import type { TestServer } from "./start_server.ts";

export interface JoinedHost {
  hostId: string;
  bearer: string;
  repositoryId: string;
}

/** Makes a host through the real token flow. */
export async function joinHost(
  test: TestServer,
  name: string,
  repository: Record<string, unknown> = {},
  paths: string[] = ["/home"],
): Promise<JoinedHost> {
  const existing = repository.id as string | undefined;
  const made = await test.api("alice", "POST", "/api/enrollment-tokens", {
    hostname: name,
    initial_paths: paths,
    ...(existing ? { repository_id: existing } : {
      repository: {
        name: `${name} repository`,
        url: `/srv/restic/${name}`,
        password: "a repository password",
        is_new: true,
        ...repository,
      },
    }),
  });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  const enrolled = await test.api(null, "POST", "/api/agents/enroll", {
    token: made.body.token,
    hostname: name,
    os: "linux",
    arch: "x86_64",
    agent_version: "0.1.0",
    restic_version: "0.18.0",
  });
  if (enrolled.status !== 200) throw new Error(JSON.stringify(enrolled.body));
  return {
    hostId: enrolled.body.host_id,
    bearer: enrolled.body.bearer,
    repositoryId: made.body.repository_id,
  };
}

export class FakeAgent {
  readonly received: AnyServerMessage[] = [];
  closed: { code: number; reason: string } | undefined;
  #seq = 0;
  readonly #waiting = new Set<() => void>();

  private constructor(readonly socket: WebSocket) {
    socket.onmessage = ({ data }) => {
      this.received.push(readServerMessage(data));
      this.#wake();
    };
    socket.onclose = ({ code, reason }) => {
      this.closed ??= { code, reason };
      this.#wake();
    };
    socket.onerror = (event) => {
      if (event instanceof ErrorEvent) event.preventDefault();
    };
  }

  static async dial(
    url: string,
    bearer: string,
    client?: Deno.HttpClient,
  ): Promise<FakeAgent> {
    const headers = { Authorization: `Bearer ${bearer}` };
    const options: WebSocketOptions = { headers, ...(client ? { client } : {}) };
    const socket = new WebSocket(
      `${url.replace("http", "ws")}/ws/agent`,
      // The browser tests bring a browser's types along, which know no headers.
      options as unknown as string[],
    );
    const agent = new FakeAgent(socket);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("close", () => reject(new Error("refused")), { once: true });
    });
    return agent;
  }

  /** Dials, says hello and waits to be accepted. */
  static async connect(
    url: string,
    bearer: string,
    hello: Partial<Hello> = {},
  ): Promise<FakeAgent> {
    const agent = await FakeAgent.dial(url, bearer);
    agent.hello(hello);
    await agent.next("plan.set");
    return agent;
  }

  hello(hello: Partial<Hello> = {}): void {
    this.send({
      type: "hello",
      protocol: PROTOCOL_VERSION,
      stream_kinds: ["folder", "tree", "dump", "diff", "find"],
      agent_version: "0.1.0",
      restic_version: "0.18.0",
      hostname: "machine",
      os: "linux",
      arch: "x86_64",
      boot_time: 1_700_000_000_000,
      clock: Date.now(),
      plan_version: 0,
      jobs: [],
      ...hello,
    });
  }

  send(message: AgentMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  sendRaw(data: string | Uint8Array<ArrayBuffer>): void {
    this.socket.send(data);
  }

  /** The stream of this number, opened already or still to be. */
  async opened(id = 1): Promise<StreamOpen> {
    return await this.next("stream.open", ({ stream_id }) => stream_id === id);
  }

  /** A frame of a stream's data. */
  data(id: number, bytes: Uint8Array | string): void {
    this.sendRaw(
      streamFrame(id, typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes),
    );
  }

  endStream(stream_id: number, error?: StreamEnd["error"]): void {
    this.send({ type: "stream.end", stream_id, ...(error ? { error } : {}) });
  }

  /** Numbers and sends a report. */
  report(message: Record<string, unknown> & { type: string }): number {
    const seq = ++this.#seq;
    this.socket.send(JSON.stringify({ ...message, seq }));
    return seq;
  }

  started(job_id: string, at = Date.now()): number {
    return this.report({
      type: "job.started",
      job_id,
      at,
      restic_version: "0.18.0",
      bandwidth_up_kib_per_s: null,
      bandwidth_down_kib_per_s: null,
    });
  }

  lines(job_id: string, first_line: number, texts: string[]): number {
    return this.report({
      type: "log.stream",
      job_id,
      first_line,
      lines: texts.map((text) => ({ at: Date.now(), stream: "stdout", text })),
    });
  }

  finished(job_id: string, result: Record<string, unknown> = {}): number {
    return this.report({
      type: "job.finished",
      job_id,
      at: Date.now(),
      status: "succeeded",
      exit_code: 0,
      reason: null,
      reason_code: null,
      warnings: 0,
      summary: null,
      ...result,
    });
  }

  snapshots(
    repository_id: string,
    ids: string[],
    part = 1,
    parts = 1,
    report_id = newId(),
  ): number {
    return this.report({
      type: "snapshots.report",
      repository_id,
      report_id,
      taken_at: Date.now(),
      part,
      parts,
      snapshots: ids.map((id, index) => ({
        id,
        time: Date.now() - index * 1000,
        tags: ["default"],
        paths: ["/home"],
        hostname: "machine",
        username: "root",
        parent: null,
        files: 10,
        bytes: 1000,
        bytes_added: 100,
      })),
    });
  }

  /** The first message of a type that satisfies the condition, received or still to come. */
  async next<T extends ServerMessage["type"]>(
    type: T,
    condition: (message: Extract<AnyServerMessage, { type: T }>) => boolean = () => true,
  ): Promise<Extract<AnyServerMessage, { type: T }>> {
    const find = () =>
      this.received.find((message): message is Extract<AnyServerMessage, { type: T }> =>
        message.type === type && condition(message as Extract<AnyServerMessage, { type: T }>)
      );
    await this.#until(() => find() !== undefined || this.closed !== undefined, `a ${type}`);
    const found = find();
    if (!found) {
      throw new Error(`closed (${this.closed?.code} ${this.closed?.reason}) before ${type}`);
    }
    return found;
  }

  async acknowledged(seq: number): Promise<void> {
    await this.next("report.ack", (message) => message.up_to >= seq);
  }

  async untilClosed(): Promise<{ code: number; reason: string }> {
    await this.#until(() => this.closed !== undefined, "the close");
    return this.closed!;
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.untilClosed();
  }

  #until(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`${what} did not come within 10 s`));
      }, 10_000);
      const check = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check();
  }
}
