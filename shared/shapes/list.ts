// A list as the JSON API gives it, page by page.
import { z } from "zod";

/** `more` is what stands beside the items. `next_cursor` null: this is the last page. */
export function listOf<T extends z.ZodType, M extends z.ZodRawShape = Record<never, never>>(
  item: T,
  more?: M,
) {
  return z.object({
    items: z.array(item),
    next_cursor: z.string().nullable()
      .describe("For ?cursor= of the next page; null on the last one"),
    ...more as M,
  });
}
