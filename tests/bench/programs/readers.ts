// So many readers of one live stream; tells how old the ticks are that reach them, in milliseconds.
import { percentile } from "../table.ts";

const [url, authorizations = "", readers, seconds] = Deno.args;
/** What was said before everybody listened would be catching up. */
const SETTLE_MS = 700;

const all = authorizations.split(",");
const streams = await Promise.all(Array.from({ length: Number(readers) }, async (_, n) => {
  const response = await fetch(url!, {
    headers: { authorization: all[n % all.length]!, accept: "text/event-stream" },
  });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.body!.pipeThrough(new TextDecoderStream()).getReader();
}));
const now = () => performance.timeOrigin + performance.now();
const from = now() + SETTLE_MS;
const until = from + Number(seconds) * 1000;
const ages: number[] = [];

async function read(stream: ReadableStreamDefaultReader<string>): Promise<void> {
  let rest = "";
  for (;;) {
    const { done, value } = await stream.read();
    if (done) return;
    const came = now();
    const events = (rest + value).split("\n\n");
    rest = events.pop()!;
    for (const [, time] of events.join("\n").matchAll(/tick (\d+\.\d+)/g)) {
      if (Number(time) > from && Number(time) < until) ages.push(came - Number(time));
    }
  }
}

const ended = Promise.all(streams.map(read)).catch(() => {});
await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, until - now()))]);
console.log(JSON.stringify({
  p50: percentile(ages, 0.5),
  p99: percentile(ages, 0.99),
  count: ages.length,
}));
Deno.exit(0);
