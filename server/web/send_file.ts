// A file as an answer: whole or one range of it (RFC 9110, 14), never in memory as a whole.
import type { Download } from "../downloads/files.ts";
import type { Ctx } from "./context.ts";

const CHUNK = 65_536;

interface Range {
  from: number;
  /** The last byte. */
  to: number;
}

/** `sha256` in hex: it is the ETag, so a range goes on only with the same file. */
export function sendFile(c: Ctx, file: Download, sha256: string): Response {
  const etag = `"${sha256}"`;
  const headers = new Headers({
    "Content-Type": "application/octet-stream",
    "Content-Disposition": `attachment; filename="${file.name}"`,
    "Accept-Ranges": "bytes",
    "ETag": etag,
    "Cache-Control": "no-cache",
    "X-Checksum-Sha256": sha256,
    "Repr-Digest": `sha-256=:${Uint8Array.fromHex(sha256).toBase64()}:`,
  });
  if (c.req.header("if-none-match") === etag) return new Response(null, { status: 304, headers });
  const ifRange = c.req.header("if-range");
  const asked = ifRange === undefined || ifRange === etag ? c.req.header("range") : undefined;
  const range = readRange(asked, file.size);
  if (range === "impossible") {
    headers.set("Content-Range", `bytes */${file.size}`);
    headers.set("Content-Length", "0");
    return new Response(null, { status: 416, headers });
  }
  const { from, to } = range ?? { from: 0, to: file.size - 1 };
  if (range) headers.set("Content-Range", `bytes ${from}-${to}/${file.size}`);
  headers.set("Content-Length", `${to - from + 1}`);
  return new Response(bytesOf(file.path, { from, to }), { status: range ? 206 : 200, headers });
}

/** One range, or undefined for the whole: what is not understood is ignored, as the RFC wants it. */
function readRange(header: string | undefined, size: number): Range | "impossible" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? "");
  if (!match || match[1] === "" && match[2] === "") return undefined;
  const [, first = "", last = ""] = match;
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== "" && last !== "" && Number(last) < from) return undefined;
  return from > to ? "impossible" : { from, to };
}

/** Opens the file at the first read, so that an answer whose body nobody reads holds nothing open. */
function bytesOf(path: string, { from, to }: Range): ReadableStream<Uint8Array> {
  let file: Deno.FsFile | undefined;
  let left = to - from + 1;
  const close = () => {
    file?.close();
    file = undefined;
  };
  return new ReadableStream({
    async pull(controller) {
      try {
        if (!file) {
          file = await Deno.open(path);
          await file.seek(from, Deno.SeekMode.Start);
        }
        const chunk = new Uint8Array(Math.min(CHUNK, left));
        const read = left > 0 ? await file.read(chunk) : null;
        if (read === null && left > 0) throw new Error(`${path} became shorter`);
        left -= read ?? 0;
        if (read) controller.enqueue(chunk.subarray(0, read));
        if (left > 0) return;
        close();
        controller.close();
      } catch (error) {
        close();
        controller.error(error);
      }
    },
    cancel: close,
  }, { highWaterMark: 0 });
}
