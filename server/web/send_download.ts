// A download as an answer: as fast as its reader reads, in memory for one piece. What fails in the middle breaks the connection, so that nobody
// takes a part for the whole: HTTP has no other way to say it then.
import type { Server } from "../server.ts";
import type { Download } from "../snapshots/download.ts";
import { attachment } from "./attachment.ts";
import type { Ctx } from "./context.ts";
import { isStillSignedIn } from "./security.ts";

/** Who signed out, or is no admin any more, gets nothing more after this. */
const RECHECK_MS = 5000;

type Described = Pick<Download, "name"> & { size?: number | null };

/** The headers alone, for HEAD. */
export function downloadHeaders({ name, size }: Described): Headers {
  const headers = new Headers({
    // Of archives too: what no browser opens by itself.
    "Content-Type": "application/octet-stream",
    "Content-Disposition": attachment(name),
    "Cache-Control": "no-store",
    // Were it shown after all, nothing in it would act.
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",
    "Accept-Ranges": "none",
  });
  if (size !== undefined && size !== null) headers.set("Content-Length", String(size));
  return headers;
}

export function sendDownload(server: Server, c: Ctx, download: Download): Response {
  const headers = downloadHeaders(download);
  return new Response(bodyOf(server, c, download), { headers });
}

function bodyOf(server: Server, c: Ctx, download: Download): ReadableStream<Uint8Array> {
  const gone = c.req.raw.signal;
  let controller: ReadableStreamDefaultController<Uint8Array>;
  let hasEnded = false;
  const end = () => {
    hasEnded = true;
    clearInterval(timer);
    gone.removeEventListener("abort", onGone);
    server.closing.removeEventListener("abort", onClosing);
  };
  const breakOff = (why: string) => {
    if (hasEnded) return;
    end();
    download.leave(why);
    controller.error(new Error(why));
  };
  const onGone = () => breakOff("its reader left");
  const onClosing = () => breakOff("the server was stopped");
  const recheck = async () => {
    // What cannot be read now is asked again.
    if (!await isStillSignedIn(server, c).catch(() => true)) breakOff("its reader was signed out");
  };
  const timer = setInterval(recheck, RECHECK_MS);
  gone.addEventListener("abort", onGone);
  server.closing.addEventListener("abort", onClosing);
  return new ReadableStream<Uint8Array>({
    start: (own) => {
      controller = own;
      if (gone.aborted) onGone();
      else if (server.closing.aborted) onClosing();
    },
    pull: async () => {
      try {
        const piece = await download.read();
        if (hasEnded) return;
        if (piece) return controller.enqueue(piece);
        end();
        controller.close();
      } catch (error) {
        if (hasEnded) return;
        end();
        controller.error(error);
      }
    },
    cancel: () => {
      end();
      download.leave("its reader left");
    },
  }, { highWaterMark: 0 });
}
