// Passwords as argon2id hashes (64 MiB, 3 passes), one at a time in a worker, with a short queue: anyone who floods the
// login page slows down nobody but other strangers. Those whose account has signed in from their network before have places of
// their own, and come first.
import { randomBytes } from "node:crypto";
import { AppError } from "../errors.ts";

export type HashRequest =
  | { task: "hash"; password: string; memoryKib: number; iterations: number }
  | { task: "verify"; password: string; hash: string };

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** With `hash` undefined the same time passes and the answer is false: a stranger's name looks like a known one. */
  verify(password: string, hash: string | undefined, from?: From): Promise<boolean>;
  /** Throws too_many when no place is left for this one: asked before anything is written. */
  refuseWhenFull(from: From): void;
  close(): void;
}

/** Who waits. */
export interface From {
  isKnown: boolean;
  network: string;
}

export interface HashCost {
  memoryKib: number;
  iterations: number;
}

const COST: HashCost = { memoryKib: 65_536, iterations: 3 };
/** How many may wait whom nobody knows, how many of them in one network, and how many that are known. */
const STRANGERS = 15;
const STRANGERS_OF_NETWORK = 6;
const KNOWN = 20;
const OURS: From = { isKnown: true, network: "" };
/** Far above what a hash takes on a busy machine; a worker that died answers never. */
const ANSWER_MILLISECONDS = 60_000;
/** A worker keeps the 64 MiB of each hash until it ends. */
const IDLE_MILLISECONDS = 10_000;

interface Waiting {
  from: From;
  /** Runs it; never rejects. */
  run(): Promise<void>;
}

export function createPasswordHasher(
  cost: HashCost = COST,
  answerMilliseconds = ANSWER_MILLISECONDS,
): PasswordHasher {
  let worker: Worker | undefined;
  let idle: ReturnType<typeof setTimeout> | undefined;
  let isBusy = false;
  const queue: Waiting[] = [];
  const decoy = decoyHash(cost);

  const stop = () => {
    clearTimeout(idle);
    worker?.terminate();
    worker = undefined;
  };
  const work = async () => {
    if (isBusy) return;
    isBusy = true;
    clearTimeout(idle);
    for (let next = takeNext(queue); next; next = takeNext(queue)) await next.run();
    isBusy = false;
    idle = setTimeout(stop, IDLE_MILLISECONDS);
    Deno.unrefTimer(idle as unknown as number);
  };
  const ask = <T>(request: HashRequest, from: From) => {
    refuseWhenFull(queue, from);
    return new Promise<T>((resolve, reject) => {
      const run = async () => {
        try {
          worker ??= new Worker(workerUrl(), { type: "module" });
          resolve(await answerOf<T>(worker, request, answerMilliseconds));
        } catch (error) {
          // It may be dead, and would then keep everybody waiting for ever: the next one gets a new worker.
          stop();
          reject(error);
        }
      };
      queue.push({ from, run });
      work();
    });
  };
  return {
    hash: async (password) => await ask<string>({ task: "hash", password, ...cost }, OURS),
    async verify(password, stored, from = OURS) {
      const right = await ask<boolean>({ task: "verify", password, hash: stored ?? decoy }, from);
      return right && stored !== undefined;
    },
    refuseWhenFull: (from) => refuseWhenFull(queue, from),
    close: stop,
  };
}

/** Those who are known first, otherwise in order. */
function takeNext(queue: Waiting[]): Waiting | undefined {
  const known = queue.findIndex(({ from }) => from.isKnown);
  return queue.splice(Math.max(0, known), 1)[0];
}

function refuseWhenFull(queue: Waiting[], { isKnown, network }: From): void {
  const alike = queue.filter(({ from }) => from.isKnown === isKnown);
  const near = alike.filter(({ from }) => from.network === network);
  const isFull = isKnown
    ? alike.length >= KNOWN
    : alike.length >= STRANGERS || near.length >= STRANGERS_OF_NETWORK;
  if (!isFull) return;
  const busy = new AppError(
    "too_many",
    "Too many people are signing in. Try again in a moment.",
  );
  busy.retryAfter = 5;
  throw busy;
}

/** Of no password, in the form of the others (PHC string format), so that looking at it takes as long. */
function decoyHash({ memoryKib, iterations }: HashCost): string {
  const random = (bytes: number) => randomBytes(bytes).toString("base64").replace(/=+$/, "");
  return `$argon2id$v=19$m=${memoryKib},t=${iterations},p=1$${random(16)}$${random(32)}`;
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
