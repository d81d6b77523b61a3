// The first admin, by the one-time link that the server printed at its first start.
import { type FrameProps, Layout } from "../layout.tsx";
import { Csrf } from "../parts/csrf.tsx";
import { type Errors, Problems, TextField } from "../parts/field.tsx";

export interface SetupProps {
  frame: FrameProps;
  /** From the link; null when the link is used, expired or wrong. */
  token: string | null;
  values: { username?: string };
  errors: Errors;
}

export function SetupPage({ frame, token, values, errors }: SetupProps) {
  return (
    <Layout {...frame} title="Set up" current="none">
      <div class="alone stack">
        {token === null ? <UsedLink /> : (
          <>
            <h1>Make the first account</h1>
            <p class="muted">
              It is an admin and may do everything. More accounts are made on the server with{" "}
              <code>restic-manager-server user add</code>.
            </p>
            <form method="post" action="/setup" class="form">
              <Csrf token={frame.csrf} />
              <input type="hidden" name="token" value={token} />
              <Problems errors={errors} />
              <TextField
                name="username"
                label="User name"
                value={values.username}
                error={errors.username}
                autocomplete="username"
                isRequired
                hasFocus
              />
              <TextField
                name="password"
                label="Password"
                type="password"
                error={errors.password}
                autocomplete="new-password"
                help="At least 10 characters. A sentence is easier to remember than a word."
                isRequired
              />
              <TextField
                name="password_again"
                label="The same password again"
                type="password"
                error={errors.password_again}
                autocomplete="new-password"
                isRequired
              />
              <button type="submit" class="primary">Make the account</button>
            </form>
          </>
        )}
      </div>
    </Layout>
  );
}

function UsedLink() {
  return (
    <>
      <h1>This link does not work any more</h1>
      <p>
        A setup link works once and only while there is no account. If there is one,{" "}
        <a href="/login">sign in</a>. If not, restart the server: it prints a new link.
      </p>
    </>
  );
}
