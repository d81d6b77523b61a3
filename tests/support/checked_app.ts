// The server's app, whose every answer of the JSON API is held against the schema that its route declares.
import { type App, createApp } from "../../server/app.ts";
import type { Server } from "../../server/server.ts";
import type { Route } from "../../server/web/context.ts";
import { faultOf } from "./answer_fault.ts";

/**
 * `note` receives each answer that is not as its route says; who asked gets a 500 with the same text instead, so that the test
 * that asked fails.
 */
export function createCheckedApp(
  server: Server,
  note: (fault: string) => void,
  routes?: Route[],
): App {
  const app = createApp(server, routes);
  const unchecked = app.fetch;
  app.fetch = async (request, ...rest) => {
    const response = await unchecked(request, ...rest);
    const fault = await faultOf(request, response);
    if (!fault) return response;
    note(fault);
    await response.body?.cancel();
    return new Response(fault, { status: 500 });
  };
  return app;
}
