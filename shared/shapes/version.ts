// Which server this is.
import { z } from "zod";

/** `protocol_version` is what it speaks with agents. */
export const ServerVersion = z.object({ version: z.string(), protocol_version: z.number() });
