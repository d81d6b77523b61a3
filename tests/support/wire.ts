// A network in between: a TCP proxy on loopback that cuts, holds one direction or both, and is slow when it is told to.

export type Direction = "up" | "down";

export class Wire implements AsyncDisposable {
  /** Bytes a second in each direction; undefined: as quick as it goes. */
  bytesPerSecond: number | undefined;
  /** How many connections came so far. */
  connections = 0;
  /** New ones are closed at once. */
  isDown = false;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.Conn>();
  readonly #held = new Set<Direction>();
  #released = Promise.withResolvers<void>();
  readonly #accepting: Promise<void>;

  constructor(private readonly to: number) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#accepting = this.#accept();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Ends every connection. */
  cut(): void {
    for (const connection of [...this.#open]) this.#close(connection);
  }

  /** Takes bytes and passes none on, of connections that are open and of new ones; nobody is told. */
  hold(...directions: Direction[]): void {
    for (const each of directions.length > 0 ? directions : ["up", "down"] as const) {
      this.#held.add(each);
    }
  }

  /** What was held goes on where the connection is still there. */
  release(): void {
    this.#held.clear();
    this.#released.resolve();
    this.#released = Promise.withResolvers();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.release();
    this.cut();
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    for await (const near of this.#listener) {
      this.connections++;
      if (this.isDown) near.close();
      else this.#join(near);
    }
  }

  async #join(near: Deno.TcpConn): Promise<void> {
    this.#open.add(near);
    let far: Deno.TcpConn;
    try {
      far = await Deno.connect({ hostname: "127.0.0.1", port: this.to });
    } catch {
      // Nobody listens there: to whoever dialled it is a connection that breaks.
      return this.#close(near);
    }
    this.#open.add(far);
    await Promise.all([this.#pump(near, far, "up"), this.#pump(far, near, "down")]);
    this.#close(near);
    this.#close(far);
  }

  async #pump(from: Deno.TcpConn, to: Deno.TcpConn, direction: Direction): Promise<void> {
    const buffer = new Uint8Array(16_384);
    try {
      for (;;) {
        const size = this.bytesPerSecond === undefined
          ? buffer.length
          : Math.max(1, Math.ceil(this.bytesPerSecond / 10));
        const count = await from.read(buffer.subarray(0, Math.min(size, buffer.length)));
        if (count === null) break;
        if (this.bytesPerSecond !== undefined) await pause(count / this.bytesPerSecond * 1000);
        while (this.#held.has(direction)) await this.#released.promise;
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
      await to.closeWrite();
    } catch {
      // One side is gone: the other one finds out by the close.
      this.#close(from);
      this.#close(to);
    }
  }

  #close(connection: Deno.Conn): void {
    if (!this.#open.delete(connection)) return;
    try {
      connection.close();
    } catch {
      // Closed already.
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
