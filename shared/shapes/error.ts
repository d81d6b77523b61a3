// Every refusal and every fault, whatever its status.
import { z } from "zod";

export const ApiError = z.object({
  error: z.object({
    code: z.string().describe("To decide by; what a code means does not change"),
    message: z.string().describe("A sentence for people; its words may change"),
    field: z.string().optional().describe("The input that is wrong"),
  }),
}).meta({ id: "Error" });
