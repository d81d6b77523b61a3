// Passwords as argon2id hashes (64 MiB, 3 passes), one at a time in a worker, with a short queue: whoever floods the
// login page slows down nobody but the login page.
import { AppError } from "../errors.ts";

export type HashRequest =
  | { task: "hash"; password: string; memoryKib: number; iterations: number }
  | { task: "verify"; password: string; hash: string };

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** With `hash` undefined the same time passes and the answer is false: a stranger's name looks like a known one. */
  verify(password: string, hash: string | undefined): Promise<boolean>;
  close(): void;
}

export interface HashCost {
  memoryKib: number;
  iterations: number;
}

const COST: HashCost = { memoryKib: 65_536, iterations: 3 };
const QUEUE_LIMIT = 20;
/** Far above what a hash takes on a busy machine; a worker that died answers never. */
const ANSWER_MILLISECONDS = 60_000;
/** A worker keeps the 64 MiB of each hash until it ends. */
const IDLE_MILLISECONDS = 10_000;

export function createPasswordHasher(
  cost: HashCost = COST,
  answerMilliseconds = ANSWER_MILLISECONDS,
): PasswordHasher {
  let worker: Worker | undefined;
  let idle: ReturnType<typeof setTimeout> | undefined;
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  let decoy: Promise<string> | undefined;

  const stop = () => {
    clearTimeout(idle);
    worker?.terminate();
    worker = undefined;
  };
  const ask = async <T>(request: HashRequest): Promise<T> => {
    if (waiting >= QUEUE_LIMIT) {
      const busy = new AppError(
        "too_many",
        "Too many people are signing in. Try again in a moment.",
      );
      busy.retryAfter = 5;
      throw busy;
    }
    waiting++;
    const turn = last.then(() => {
      clearTimeout(idle);
      worker ??= new Worker(workerUrl(), { type: "module" });
      return answerOf<T>(worker, request, answerMilliseconds);
    }).catch((error) => {
      // It may be dead, and would then keep everybody waiting for ever: the next one gets a new worker.
      stop();
      throw error;
    });
    last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      if (--waiting === 0) {
        clearTimeout(idle);
        idle = setTimeout(stop, IDLE_MILLISECONDS);
        Deno.unrefTimer(idle as unknown as number);
      }
    }
  };
  const hash = (password: string) => ask<string>({ task: "hash", password, ...cost });
  return {
    hash,
    async verify(password, stored) {
      if (stored !== undefined) {
        return await ask<boolean>({ task: "verify", password, hash: stored });
      }
      decoy ??= hash("decoy");
      // One that failed once must not fail for every stranger from then on.
      decoy.catch(() => decoy = undefined);
      await ask<boolean>({ task: "verify", password, hash: await decoy });
      return false;
    },
    close: stop,
  };
}

/** In a compiled program both are JavaScript. */
function workerUrl(): URL {
  const extension = import.meta.url.endsWith(".js") ? "js" : "ts";
  return new URL(`./password_worker.${extension}`, import.meta.url);
}

function answerOf<T>(worker: Worker, request: HashRequest, withinMs: number): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const overdue = setTimeout(
      () => reject(new Error(`the password worker did not answer within ${withinMs} ms`)),
      withinMs,
    );
    worker.onmessage = ({ data }: MessageEvent<{ result: T; error?: string }>) => {
      clearTimeout(overdue);
      if (data.error === undefined) resolve(data.result);
      else reject(new Error(data.error));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      clearTimeout(overdue);
      reject(new Error(event.message));
    };
    worker.postMessage(request);
  });
}
