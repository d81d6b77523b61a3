// What an agent sends of a file or an archive, held against what it said before. Where the size is known the last bytes are only given out when
// the agent has ended without an error: before that a reader that counts would take what failed for whole.
import { DUMP_HEADER_LIMIT, DumpHeader } from "../../shared/dump.ts";
import { type AgentStream, StreamError } from "../agent_streams.ts";

const LINE_FEED = 10;

export class DumpReader {
  #received = 0;

  private constructor(
    private readonly stream: AgentStream,
    /** null where nobody knows it before. */
    readonly size: number | null,
    private readonly largestBytes: number,
    private first: Uint8Array | undefined,
  ) {}

  /** Waits for the first line. Throws StreamError, `failed` for what is none. */
  static async open(stream: AgentStream, largestBytes: number): Promise<DumpReader> {
    try {
      const { line, rest } = await firstLine(stream);
      return new DumpReader(stream, readHeader(line).size, largestBytes, rest);
    } catch (error) {
      stream.cancel();
      throw error;
    }
  }

  /** Bytes that the agent has sent. */
  get received(): number {
    return this.#received;
  }

  /**
   * The next piece, there until the one after is asked for; undefined at the end, which is only reached when all of it came. Throws
   * StreamError.
   */
  async read(): Promise<Uint8Array | undefined> {
    const piece = await this.#next();
    if (!piece) {
      if (this.size !== null && this.#received < this.size) {
        throw this.#refuse(`it sent ${this.#received} of ${this.size} bytes`);
      }
      return undefined;
    }
    this.#received += piece.length;
    if (this.size !== null && this.#received > this.size) {
      throw this.#refuse(`it sent more than the ${this.size} bytes that it had said`);
    }
    if (this.#received > this.largestBytes) {
      throw this.#refuse("it is larger than a download may be (RM_DOWNLOAD_BYTES)");
    }
    if (this.#received !== this.size) return piece;
    const last = piece.slice();
    const more = await this.#next();
    if (more) throw this.#refuse(`it sent more than the ${this.size} bytes that it had said`);
    return last;
  }

  cancel(): void {
    this.stream.cancel();
  }

  async #next(): Promise<Uint8Array | undefined> {
    const { first } = this;
    this.first = undefined;
    return first && first.length > 0 ? first : await this.stream.read();
  }

  #refuse(why: string): StreamError {
    this.cancel();
    return new StreamError("failed", why);
  }
}

async function firstLine(stream: AgentStream): Promise<{ line: Uint8Array; rest: Uint8Array }> {
  let bytes: Uint8Array = new Uint8Array();
  for (;;) {
    const piece = await stream.read();
    if (!piece) throw new StreamError("failed", "it sent no first line");
    const more = new Uint8Array(bytes.length + piece.length);
    more.set(bytes);
    more.set(piece, bytes.length);
    bytes = more;
    const end = bytes.indexOf(LINE_FEED);
    if (end >= 0 && end <= DUMP_HEADER_LIMIT) {
      return { line: bytes.subarray(0, end), rest: bytes.subarray(end + 1) };
    }
    if (bytes.length > DUMP_HEADER_LIMIT) {
      throw new StreamError("failed", "its first line is too long");
    }
  }
}

function readHeader(line: Uint8Array): DumpHeader {
  try {
    return DumpHeader.parse(JSON.parse(new TextDecoder().decode(line)));
  } catch {
    throw new StreamError("failed", "its first line is none");
  }
}
