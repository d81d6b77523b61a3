// argon2id beside the event loop: one hash costs 64 MiB and a third of a second.
/// <reference lib="webworker" />
import { argon2id, argon2Verify } from "hash-wasm";
import type { HashRequest } from "./password.ts";

self.onmessage = async ({ data }: MessageEvent<HashRequest>) => {
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
    self.postMessage({ result });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
