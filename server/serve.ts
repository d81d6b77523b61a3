// An open server, listening. Ends in order: no new requests, sockets told to come back, streams ended, database closed.
import { PENDING_CLOSE } from "../shared/announce.ts";
import { CLOSE } from "../shared/protocol.ts";
import { type App, createApp } from "./app.ts";
import { Listener, type ListenPace } from "./listen.ts";
import { type OpenOptions, openServer } from "./open.ts";
import type { Server } from "./server.ts";
import type { Settings } from "./settings.ts";
import { startTasks, type Task } from "./tasks.ts";

export interface Serving {
  server: Server;
  /** The address that it listens on, such as http://127.0.0.1:8080. */
  url: string;
  /** Resolves with the reason when the server answers nobody any more and cannot help itself. */
  givenUp: Promise<string>;
  /** Ends within 10 s; what was acknowledged is on the disk. */
  stop(): Promise<void>;
}

const STOP_WITHIN = 8000;

export interface ServeOptions extends OpenOptions {
  listenPace?: Partial<ListenPace>;
  /** Instead of what happens by the clock. */
  tasks?: Task[];
  /** Instead of the app as it is. */
  createApp?: (server: Server) => App;
}

export async function serve(settings: Settings, options: ServeOptions = {}): Promise<Serving> {
  const opened = await openServer(settings, options);
  const { server } = opened;
  const app = (options.createApp ?? createApp)(server);
  let listener: Listener;
  try {
    listener = new Listener({
      ...settings.listen,
      handler: (request, peer) => app.fetch(request, { peer }),
      log: server.log,
      pace: options.listenPace,
    });
  } catch (error) {
    await opened.close();
    throw error;
  }
  server.listening = listener.address;
  startTasks(server, options.tasks);
  return {
    server,
    url: listener.url,
    givenUp: listener.givenUp,
    stop: async () => {
      const agents = [...server.agents];
      server.agents.closeAll(CLOSE.goingAway, "the server is stopping");
      server.waiting.closeAll(PENDING_CLOSE.goingAway, "the server is stopping");
      // Live streams never end by themselves, and the listener waits for them.
      opened.endStreams();
      const settled = Promise.allSettled([listener.stop(), ...agents.map((agent) => agent.idle())]);
      await within(STOP_WITHIN, settled);
      await opened.close();
    },
  };
}

/** Waits for the work, but not longer than this. */
async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const enough = new Promise((resolve) => timer = setTimeout(resolve, milliseconds));
  await Promise.race([work, enough]);
  clearTimeout(timer);
}
