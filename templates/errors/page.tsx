// What happened, why if known, what to do. Never "something went wrong".
import { type FrameProps, Layout } from "../layout.tsx";
import { Copyable } from "../parts/copyable.tsx";

export interface ErrorPageProps {
  frame: FrameProps;
  status: number;
  /** The sentence of the error; for a 500 there is none that a reader may see. */
  message?: string;
  code?: string;
  /** Under which the server's log tells more. */
  id?: string;
}

const TITLES: Record<number, string> = {
  401: "Please sign in",
  403: "Your role may not do this",
  404: "There is nothing here",
  409: "This cannot be done now",
  413: "That is too much at once",
  422: "This was not accepted",
  429: "Too many attempts",
  503: "The host is offline",
};

const HINTS: Record<number, string> = {
  403: "Ask an admin to do it, or to give you another role.",
  404: "It was removed, or the address is mistyped.",
  409: "Go back, reload the page and look at its present state.",
  429: "Wait a little, then try again.",
  503: "Nothing was queued. Run it again when the host is back.",
};

/** Where the status alone does not say what it is. */
const BY_CODE: Record<string, { title: string; hint: string }> = {
  storage_cannot_write: {
    title: "Nothing can be saved now",
    hint:
      "This ends by itself as soon as the cause does. Go back: what you typed is still there, to be sent again.",
  },
  unavailable: {
    title: "This cannot be done now",
    hint: "Nothing was changed.",
  },
};

export function ErrorPage({ frame, status, message, code = "", id }: ErrorPageProps) {
  const title = BY_CODE[code]?.title ?? TITLES[status] ?? "The server could not finish this";
  const hint = BY_CODE[code]?.hint ?? HINTS[status];
  return (
    <Layout {...frame} title={title} current="none">
      <div class="narrow stack">
        <p class="muted">{status}</p>
        <h1>{title}</h1>
        {message && <p class="wrap">{message}</p>}
        {hint && <p class="muted">{hint}</p>}
        {status >= 500 && status !== 503 && !message && (
          <p>
            The cause is in the server's log{id && (
              <>
                {" "}under <Copyable text={id} what="the id" />
              </>
            )}. Nothing was half-done: try again, or show the id to whoever runs the server.
          </p>
        )}
        <p class="actions">
          <a class="button" href="/">{frame.user ? "To the hosts" : "To the sign-in"}</a>
        </p>
      </div>
    </Layout>
  );
}

export function NotFoundPage({ frame }: { frame: FrameProps }) {
  return <ErrorPage frame={frame} status={404} />;
}
