// What a browser shows when a request could not be answered. Someone who is not signed in is sent to sign in.
import { ErrorPage } from "../../../templates/errors/page.tsx";
import type { Server } from "../../server.ts";
import type { Ctx } from "../context.ts";
import { frameOf, show } from "./page.ts";

export interface ErrorAnswer {
  status: number;
  code: string;
  /** A whole sentence for people. */
  message: string;
  field?: string;
  retryAfter?: number;
}

export async function errorPage(server: Server, c: Ctx, answer: ErrorAnswer): Promise<Response> {
  if (answer.code === "unauthorized" && c.req.method === "GET") {
    const { pathname, search } = new URL(c.req.url);
    return c.redirect(`/login?next=${encodeURIComponent(pathname + search)}`, 303);
  }
  const { status, message, code } = answer;
  try {
    return show(c, ErrorPage({ frame: await frameOf(server, c), status, message, code }), status);
  } catch (error) {
    // The database itself may be what failed: then plain words have to do.
    server.log.error(`error page: ${error}`);
    return new Response(`${message}\n`, { status });
  }
}
