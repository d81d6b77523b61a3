// What a browser shows when a request could not be answered. Someone who is not signed in is sent to sign in.
import type { Server } from "../../server.ts";
import type { Ctx } from "../context.ts";

export interface ErrorAnswer {
  status: number;
  code: string;
  /** A whole sentence for people. */
  message: string;
  field?: string;
  retryAfter?: number;
}

export function errorPage(_server: Server, c: Ctx, answer: ErrorAnswer): Promise<Response> {
  if (answer.code === "unauthorized" && c.req.method === "GET") {
    return Promise.resolve(c.redirect(`/login?next=${encodeURIComponent(c.req.path)}`, 303));
  }
  return Promise.resolve(new Response(`${answer.message}\n`, { status: answer.status }));
}
