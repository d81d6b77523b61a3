// A password by a one-time link: the first admin's, which the server prints, or that of a user whom an admin invited or reset.
import { type FrameProps, Layout } from "../layout.tsx";
import { Csrf } from "../parts/csrf.tsx";
import { type Errors, Problems, TextField } from "../parts/field.tsx";
import { Name } from "../parts/name.tsx";

export interface SetupProps {
  frame: FrameProps;
  /** From the link; null when the link is used, expired or wrong. */
  token: string | null;
  /** Whose link it is; null: the first admin's, who chooses a name. */
  account: { username: string; role: string } | null;
  values: { username?: string };
  errors: Errors;
}

export function SetupPage({ frame, token, account, values, errors }: SetupProps) {
  return (
    <Layout {...frame} title="Set up" current="none">
      <div class="alone stack">
        {token === null ? <UsedLink /> : (
          <>
            {account ? <Welcome {...account} /> : <FirstAccount />}
            <form method="post" action="/setup" class="form">
              <Csrf token={frame.csrf} />
              <input type="hidden" name="token" value={token} />
              <Problems errors={errors} />
              {account
                ? (
                  <input
                    type="hidden"
                    name="username"
                    value={account.username}
                    autocomplete="username"
                  />
                )
                : (
                  <TextField
                    name="username"
                    label="User name"
                    value={values.username}
                    error={errors.username}
                    autocomplete="username"
                    isRequired
                    hasFocus
                  />
                )}
              <TextField
                name="password"
                label="Password"
                type="password"
                error={errors.password}
                autocomplete="new-password"
                help="At least 10 characters. A sentence is easier to remember than a word."
                isRequired
                hasFocus={account !== null}
              />
              <TextField
                name="password_again"
                label="The same password again"
                type="password"
                error={errors.password_again}
                autocomplete="new-password"
                isRequired
              />
              <button type="submit" class="primary">
                {account ? "Set the password" : "Make the account"}
              </button>
            </form>
          </>
        )}
      </div>
    </Layout>
  );
}

function FirstAccount() {
  return (
    <>
      <h1>Make the first account</h1>
      <p class="muted">
        It is an admin and may do everything. More accounts are made on the server with{" "}
        <code>restic-manager-server user add</code>.
      </p>
    </>
  );
}

function Welcome({ username, role }: NonNullable<SetupProps["account"]>) {
  return (
    <>
      <h1>Set your password</h1>
      <p class="muted">
        For the account <Name text={username} />, {role}. You are signed in afterwards.
      </p>
    </>
  );
}

function UsedLink() {
  return (
    <>
      <h1>This link does not work any more</h1>
      <p>
        A setup link works once and for an hour. If you have an account,{" "}
        <a href="/login">sign in</a>; if your link was too old, ask an admin for another one. While
        there is no account at all, <code>restic-manager-server setup-link</code>{" "}
        on the server prints a new link.
      </p>
    </>
  );
}
