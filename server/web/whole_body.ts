// Bodies are read whole before anybody acts on them: one that is too large is refused, and one that is never finished is not
// waited for.
import { AppError } from "../errors.ts";

export const BODY_LIMIT = 1_048_576;
/** Half a request keeps its place for no longer. */
export const BODY_WITHIN_MS = 10_000;
const CUT_OFF_MS = 200;

/** The request with its body in memory. Throws too_large or too_slow; then the connection is of no more use. */
export async function withWholeBody(request: Request, withinMs: number): Promise<Request> {
  if (!request.body) return request;
  if (Number(request.headers.get("content-length") ?? 0) > BODY_LIMIT) throw tooLarge();
  const body = await readAll(request.body, withinMs);
  return new Request(request, { body });
}

async function readAll(stream: ReadableStream<Uint8Array>, withinMs: number) {
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  let size = 0;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    reader.cancel().catch(() => {});
  }, withinMs);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (isLate) throw tooSlow();
      if (done) return await new Blob(pieces as Uint8Array<ArrayBuffer>[]).bytes();
      size += value.length;
      if (size > BODY_LIMIT) throw tooLarge();
      pieces.push(value);
    }
  } finally {
    clearTimeout(timer);
  }
}

function tooLarge(): AppError {
  return new AppError("too_large", `The body must be at most ${BODY_LIMIT} bytes.`);
}

function tooSlow(): AppError {
  return new AppError("too_slow", `The body must come within ${BODY_WITHIN_MS / 1000} seconds.`);
}

/**
 * The answer, after which the connection is cut: Deno.serve waits for the rest of a body without end, whatever the header
 * Connection says, and only an answer that breaks off ends that.
 */
export async function thenCutOff(response: Response): Promise<Response> {
  const pieces = [await response.bytes()];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces.shift();
      if (piece) controller.enqueue(piece);
      // Not before what was written is on its way.
      else setTimeout(() => controller.error(new Error("the body did not come")), CUT_OFF_MS);
    },
  }, { highWaterMark: 0 });
  return new Response(body, response);
}
