// Pages as someone who is signed in gets them, without a browser.
import { signIn } from "./browser_session.ts";
import type { Person, TestServer } from "./start_server.ts";

/** Returns what fetches a page's text. */
export async function browsePage(
  test: TestServer,
  person: Person,
): Promise<(path: string) => Promise<string>> {
  const { cookie } = await signIn(test, person);
  return async (path) => {
    const response = await fetch(test.url + path, { headers: { cookie, accept: "text/html" } });
    return await response.text();
  };
}
