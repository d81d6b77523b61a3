// Someone at a browser, without the browser: signs in and calls the API with the cookie, from whatever address a proxy says.
import { PASSWORD, type TestServer } from "./start_server.ts";

// deno-lint-ignore no-explicit-any
export type Answer = { status: number; body: any; headers: Headers };

/** For startServer: this machine is a proxy that is believed about where a client comes from. */
export const BEHIND_PROXY = { RM_TRUSTED_PROXY: "127.0.0.1" };

export async function call(
  { url }: { url: string },
  method: string,
  path: string,
  { headers = {}, body, from }: {
    headers?: Record<string, string>;
    body?: unknown;
    from?: string;
  } = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(from === undefined ? {} : { "x-forwarded-for": from }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    redirect: "manual",
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : text,
  };
}

export interface SignedIn {
  status: number;
  headers: Headers;
  cookie: string;
  /** For forms. */
  csrf: string;
  api(method: string, path: string, body?: unknown): Promise<Answer>;
}

export async function signIn(
  test: Pick<TestServer, "url">,
  username: string,
  password = PASSWORD,
  from?: string,
): Promise<SignedIn> {
  const answer = await call(test, "POST", "/api/auth/login", {
    body: { username, password },
    from,
  });
  const cookie = (answer.headers.get("set-cookie") ?? "").split(";")[0]!;
  return {
    status: answer.status,
    headers: answer.headers,
    cookie,
    csrf: answer.body.csrf_token ?? "",
    api: (method, path, body) =>
      call(test, method, path, {
        body,
        from,
        headers: { cookie, "x-csrf-token": answer.body.csrf_token ?? "" },
      }),
  };
}

export function withToken(test: Pick<TestServer, "url">, token: string) {
  return (method: string, path: string, body?: unknown) =>
    call(test, method, path, { body, headers: { authorization: `Bearer ${token}` } });
}

/** Posts a form as a browser does; returns status, cookie and where it leads. */
export async function postForm(
  { url }: { url: string },
  path: string,
  fields: Record<string, string>,
  cookie = "",
): Promise<{ status: number; cookie: string; text: string }> {
  const response = await fetch(url + path, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { origin: url, accept: "text/html", cookie },
    redirect: "manual",
  });
  const session = response.headers.getSetCookie().find((each) => each.startsWith("rm_session="));
  return {
    status: response.status,
    cookie: session?.split(";")[0] ?? "",
    text: await response.text(),
  };
}

/** Follows a setup link: sets the password and is signed in. */
export async function followSetupLink(
  test: Pick<TestServer, "url">,
  setupUrl: string,
  password = PASSWORD,
  username = "",
): Promise<{ status: number; cookie: string }> {
  const token = new URL(setupUrl).searchParams.get("token")!;
  return await postForm(test, "/setup", {
    token,
    username,
    password,
    password_again: password,
  });
}
