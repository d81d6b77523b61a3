// A reader of a live stream that reads only when it is told to: what the server has sent stays in the buffers in between.

export class RawStream {
  text = "";

  private constructor(readonly connection: Deno.TcpConn) {}

  /** Sends the request and reads the head of the answer, and no more. */
  static async open(url: string, path: string, authorization: string): Promise<RawStream> {
    const { hostname, port, host } = new URL(url);
    const stream = new RawStream(await Deno.connect({ hostname, port: Number(port) }));
    await stream.connection.write(
      new TextEncoder().encode(
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${authorization}\r\n\r\n`,
      ),
    );
    await stream.until("\r\n\r\n");
    return stream;
  }

  /** Reads until this has come, or the connection has ended. */
  async until(words: string): Promise<boolean> {
    const piece = new Uint8Array(65_536);
    while (!this.text.includes(words)) {
      const bytes = await this.connection.read(piece).catch(() => null);
      if (bytes === null) return false;
      this.text += new TextDecoder().decode(piece.subarray(0, bytes));
    }
    return true;
  }

  close(): void {
    this.connection.close();
  }
}
