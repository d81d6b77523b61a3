// A moment, in the two forms that it has: milliseconds since 1970 inside (z.infer), ISO 8601 in UTC in the JSON API (z.input).
import { z } from "zod";

export const Time = z.codec(z.iso.datetime(), z.number(), {
  decode: (text) => Date.parse(text),
  encode: (at) => new Date(at).toISOString(),
});
