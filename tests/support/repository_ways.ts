// Every way by which someone says where a repository is and how it is reached: routes of the API and forms alike.
import type { Person, TestServer } from "./start_server.ts";
import { signIn } from "./browser_session.ts";
import { FakeAgent, type JoinedHost, joinHost } from "./fake_agent.ts";
import { Announcer } from "./fake_announcer.ts";

export interface Fields {
  url?: string;
  username?: string;
  rest_password?: string;
  environment?: Record<string, string>;
  options?: Record<string, string>;
}

export interface Answered {
  status: number;
  text: string;
}

export interface Ways extends AsyncDisposable {
  host: JoinedHost;
  /** Of the host of the repository that is changed: what it was told. */
  agent: FakeAgent;
  /** By name, such as "PUT /api/repositories/:id". */
  give: Record<string, (fields: Fields) => Promise<Answered>>;
}

const NEW = { url: "rest:https://nas.example.org/new/", password: "a long password" };
export const OLD = "rest:https://nas.example.org/old/";

export async function waysToGive(test: TestServer, person: Person = "alice"): Promise<Ways> {
  const host = await joinHost(test, "alpha", { url: OLD });
  const agent = await FakeAgent.connect(test.url, host.bearer);
  const init = await agent.next("command.run");
  await agent.acknowledged(agent.finished(init.job_id, { created: true }));
  if (person !== "alice") {
    await test.api("alice", "PUT", `/api/repositories/${host.repositoryId}`, {
      ...{ name: "alpha repository", url: OLD, open_to_operators: true },
    });
  }
  const stranger = await Announcer.announced(test, "stranger");
  const { cookie } = await signIn(test, person);
  let n = 0;
  const answered = async (method: string, path: string, body: unknown): Promise<Answered> => {
    const { status, body: said } = await test.api(person, method, path, body);
    return { status, text: JSON.stringify(said) };
  };
  const form = async (path: string, fields: Record<string, string>, given: Fields, prefix = "") => {
    const data = new URLSearchParams(fields);
    const { environment = {}, options, ...texts } = given;
    for (const [name, value] of Object.entries(texts)) data.set(`${prefix}${name}`, value);
    for (const [name, value] of Object.entries(environment)) {
      data.append(`${prefix}environment_name`, name);
      data.append(`${prefix}environment_value`, value);
    }
    if (options) {
      data.set(`${prefix}certificate_authority`, "");
      const lines = Object.entries(options).map(([name, value]) => `${name}=${value}`);
      data.set(`${prefix}options`, lines.join("\n"));
    }
    const response = await fetch(test.url + path, {
      method: "POST",
      body: data,
      headers: { origin: test.url, accept: "text/html", cookie },
      redirect: "manual",
    });
    return { status: response.status, text: await response.text() };
  };
  const fresh = () => ({ ...NEW, name: `made-${++n}`, is_new: true });
  const texts = () => ({ name: `made-${++n}`, is_new: "true", ...NEW });
  const prefixed = () =>
    Object.fromEntries(
      Object.entries(texts()).map(([name, value]) => [`repository.${name}`, value]),
    );
  const repository = `/repositories/${host.repositoryId}`;
  const kept = { name: "alpha repository", url: OLD };
  return {
    host,
    agent,
    give: {
      "POST /api/repositories": (given) =>
        answered("POST", "/api/repositories", { ...fresh(), ...given }),
      "PUT /api/repositories/:id": (given) =>
        answered("PUT", `/api${repository}`, { ...kept, ...given }),
      "POST /api/enrollment-tokens": (given) =>
        answered("POST", "/api/enrollment-tokens", {
          hostname: `host-${++n}`,
          repository: { ...fresh(), ...given },
        }),
      "POST /api/pending-hosts/:id/accept": (given) =>
        answered("POST", `/api/pending-hosts/${stranger.pendingId}/accept`, {
          fingerprint: stranger.fingerprint,
          repository: { ...fresh(), ...given },
        }),
      "POST /repositories/new": (given) => form("/repositories/new", texts(), given),
      "POST /repositories/:id/edit": (given) =>
        form(`${repository}/edit`, { ...kept, is_new: "false" }, given),
      "POST /hosts/new": (given) =>
        form("/hosts/new", { hostname: `host-${++n}`, ...prefixed() }, given, "repository."),
      "POST /pending-hosts/:id/accept": (given) =>
        form(
          `/pending-hosts/${stranger.pendingId}/accept`,
          { fingerprint: stranger.fingerprint, name: "stranger", ...prefixed() },
          given,
          "repository.",
        ),
    },
    [Symbol.asyncDispose]: async () => {
      await agent.close();
    },
  };
}
