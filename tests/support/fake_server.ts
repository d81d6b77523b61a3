// The server's side of the conversation for tests of the agent: real HTTP, real sockets, and told how to behave.
import type { AnyOrder } from "./any_order.ts";
import type {
  AgentMessage,
  ConfigUpdate,
  Hello,
  Line,
  Report,
  ServerMessage,
} from "../../shared/protocol.ts";
import {
  costOf,
  readStreamFrame,
  type StreamEnd,
  type StreamRequest,
} from "../../shared/stream.ts";
import { readAgentMessage } from "../../shared/wire.ts";
import { eventually } from "./eventually.ts";

export const HOST_ID = "11111111-1111-4111-8111-111111111111";
export const REPOSITORY_ID = "22222222-2222-4222-8222-222222222222";

export interface FakeServerOptions {
  port?: number;
  /** Speaks TLS with these. */
  tls?: { cert: string; key: string };
  config?: Partial<ConfigUpdate>;
  /** False keeps reports unacknowledged. */
  acknowledges?: boolean;
  /** Answers instead of the enrolment. */
  enrol?: (body: Record<string, unknown>, count: number) => Response | undefined;
  /** Closes every socket with this after hello. */
  closeWith?: { code: number; reason: string };
  /** Refuses the upgrade with this status. */
  refuseWith?: number;
}

export class FakeServer implements AsyncDisposable {
  /** Everything that agents said, in order, over all sockets. */
  readonly messages: AgentMessage[] = [];
  readonly enrolments: Record<string, unknown>[] = [];
  readonly authorizations: (string | null)[] = [];
  /** What came of each stream over all sockets: its bytes as text, what they cost, its frames. */
  readonly streams = new Map<number, { text: string; cost: number; frames: number[] }>();
  connections = 0;
  acknowledges: boolean;
  /** What every agent is greeted with. */
  plan: ServerMessage = {
    type: "plan.set",
    plan_version: 1,
    schedules: [],
    source_groups: [],
  };
  /** Sees every message; true keeps it from being acknowledged. */
  onMessage: (message: AgentMessage, socket: WebSocket) => boolean | void = () => {};
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #sockets = new Set<WebSocket>();
  #latest: WebSocket | undefined;

  constructor(private readonly options: FakeServerOptions = {}) {
    this.acknowledges = options.acknowledges ?? true;
    this.#server = Deno.serve(
      { port: options.port ?? 0, hostname: "127.0.0.1", onListen() {}, ...options.tls },
      (request) => this.#answer(request),
    );
  }

  get url(): string {
    return `${this.options.tls ? "https" : "http"}://127.0.0.1:${this.#server.addr.port}`;
  }

  send(message: ServerMessage | Record<string, unknown>): void {
    this.sendText(JSON.stringify(message));
  }

  sendText(text: string): void {
    if (!this.#latest) throw new Error("no agent is connected");
    this.#latest.send(text);
  }

  /** Ends every socket the way a crash does not: with a code. */
  drop(code = 4000, reason = "test"): void {
    for (const socket of this.#sockets) socket.close(code, reason);
  }

  run(order: Partial<AnyOrder> & { job_id: string }): void {
    this.send({
      type: "command.run",
      kind: "backup",
      repository_id: REPOSITORY_ID,
      ...order,
    });
  }

  of<T extends AgentMessage["type"]>(type: T): Extract<AgentMessage, { type: T }>[] {
    return this.messages.filter((message) => message.type === type) as never;
  }

  async hello(count = 1): Promise<Hello> {
    return await eventually(`hello number ${count}`, () => this.of("hello")[count - 1]);
  }

  async finished(jobId: string, withinMs?: number) {
    const end = () => this.of("job.finished").find(({ job_id }) => job_id === jobId);
    return await eventually(`job ${jobId} ends`, end, withinMs);
  }

  /** The lines of a job by their number; a repeat must say the same. */
  lines(jobId: string): Map<number, Line> {
    const lines = new Map<number, Line>();
    for (const batch of this.of("log.stream").filter(({ job_id }) => job_id === jobId)) {
      batch.lines.forEach((line, index) => lines.set(batch.first_line + index, line));
    }
    return lines;
  }

  texts(jobId: string): string[] {
    return [...this.lines(jobId)].sort(([a], [b]) => a - b).map(([, { text }]) => text);
  }

  /** Opens a stream at the agent that connected last. */
  openStream(stream_id: number, credit: number, request: StreamRequest | Record<string, unknown>) {
    this.sendText(JSON.stringify({ type: "stream.open", stream_id, credit, request }));
  }

  async streamEnd(id: number): Promise<StreamEnd> {
    return await eventually(
      `stream ${id} ends`,
      () => this.of("stream.end").find(({ stream_id }) => stream_id === id),
    );
  }

  /** The types of a job's reports in the order in which they were numbered. */
  story(jobId: string): string[] {
    return this.messages.filter((message): message is Report =>
      "seq" in message && "job_id" in message && message.job_id === jobId
    ).sort((a, b) => a.seq - b.seq).map(({ type }) => type);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/agents/enroll") return await this.#enrol(await request.json());
    if (pathname !== "/ws/agent") return new Response("no", { status: 404 });
    this.authorizations.push(request.headers.get("authorization"));
    if (this.options.refuseWith) {
      return new Response("no", { status: this.options.refuseWith });
    }
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    this.connections++;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#sockets.add(socket);
      this.#latest = socket;
    };
    socket.onclose = () => this.#sockets.delete(socket);
    socket.onerror = (event) => event.preventDefault();
    socket.onmessage = ({ data }) => this.#receive(data, socket);
    return response;
  }

  #enrol(body: Record<string, unknown>): Response {
    this.enrolments.push(body);
    return this.options.enrol?.(body, this.enrolments.length) ??
      Response.json({ host_id: HOST_ID, bearer: "bearer-of-the-test" });
  }

  #receive(data: unknown, socket: WebSocket): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (data instanceof ArrayBuffer) return this.#note(data);
    const message = readAgentMessage(data);
    this.messages.push(message);
    if (message.type === "hello") this.#greet(socket);
    const keeps = this.onMessage(message, socket) === true;
    if (socket.readyState !== WebSocket.OPEN || keeps || !this.acknowledges) return;
    const ack = (up_to: number) => socket.send(JSON.stringify({ type: "report.ack", up_to }));
    if (message.type === "heartbeat") ack(0);
    if ("seq" in message) ack(message.seq);
  }

  #note(frame: ArrayBuffer): void {
    const { id, bytes } = readStreamFrame(frame);
    const stream = this.streams.get(id) ?? { text: "", cost: 0, frames: [] };
    this.streams.set(id, stream);
    stream.text += new TextDecoder().decode(bytes);
    stream.cost += costOf(bytes.length);
    stream.frames.push(bytes.length);
  }

  #greet(socket: WebSocket): void {
    const { closeWith, config } = this.options;
    if (closeWith) return socket.close(closeWith.code, closeWith.reason);
    const greeting: ServerMessage[] = [
      {
        type: "config.update",
        snapshot_host: "alpha",
        repository: null,
        bandwidth_up_kib_per_s: null,
        bandwidth_down_kib_per_s: null,
        bandwidth_windows: [],
        time_zone: "UTC",
        ...config,
      },
      this.plan,
    ];
    for (const message of greeting) socket.send(JSON.stringify(message));
  }
}
