// argon2id beside the event loop: one hash costs 64 MiB and a third of a second.
import { argon2id, argon2Verify } from "hash-wasm";
import type { HashRequest } from "./password.ts";

// The types of a worker would hide Deno's own in the whole program.
const worker = self as unknown as {
  onmessage: (event: MessageEvent<HashRequest>) => void;
  postMessage(answer: { result: string | boolean } | { error: string }): void;
};

worker.onmessage = async ({ data }) => {
  try {
    const result = data.task === "hash"
      ? await argon2id({
        password: data.password.normalize("NFC"),
        salt: crypto.getRandomValues(new Uint8Array(16)),
        parallelism: 1,
        iterations: data.iterations,
        memorySize: data.memoryKib,
        hashLength: 32,
        outputType: "encoded",
      })
      : await argon2Verify({ password: data.password.normalize("NFC"), hash: data.hash });
    worker.postMessage({ result });
  } catch (error) {
    worker.postMessage({ error: String(error) });
  }
};
