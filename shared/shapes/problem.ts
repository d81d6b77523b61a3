// A problem as the JSON API shows it: one code of shared/problems.ts with what belongs to it, and its words.
import { z } from "zod";
import { PROBLEM_CODES, PROBLEMS } from "../problems.ts";
import { Time } from "./time.ts";

const of = (code: typeof PROBLEM_CODES[number]) =>
  z.object({
    code: z.literal(code),
    severity: z.literal(PROBLEMS[code].severity),
    since: Time.describe("By the server's clock"),
    message: z.string().describe("For people; its words may change, the code does not"),
    params: PROBLEMS[code].params,
  });
const [first, ...others] = PROBLEM_CODES;

export const ShownProblem = z.discriminatedUnion("code", [of(first!), ...others.map(of)]).meta({
  id: "Problem",
  // For readers who do not follow oneOf.
  type: "object",
  properties: { code: { type: "string", enum: PROBLEM_CODES } },
});

/** What is wrong, twice: in words for people, and as data to decide by. */
export const PROBLEM_FIELDS = {
  problems: z.array(z.string())
    .describe("In words, the worst first; what belongs together is one text"),
  problem_details: z.array(ShownProblem),
};
