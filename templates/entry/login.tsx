import { type FrameProps, Layout } from "../layout.tsx";
import { Csrf } from "../parts/csrf.tsx";
import { type Errors, Problems, TextField } from "../parts/field.tsx";

export interface LoginProps {
  frame: FrameProps;
  /** Where the reader wanted to go; a path of this server. */
  next: string;
  values: { username?: string };
  /** `""` for the one sentence that is given for a wrong name and a wrong password alike. */
  errors: Errors;
  /** Nobody has followed the setup link yet. */
  isFresh?: boolean;
}

export function LoginPage({ frame, next, values, errors, isFresh }: LoginProps) {
  return (
    <Layout {...frame} title="Sign in" current="none">
      <div class="alone stack">
        <h1>Sign in</h1>
        <form method="post" action="/login" class="form">
          <Csrf token={frame.csrf} />
          <input type="hidden" name="next" value={next} />
          <Problems errors={errors} />
          {isFresh && (
            <p class="flash warn">
              There is no account yet. The server printed a one-time link when it started: open that
              first, or print another with <code>restic-manager-server setup-link</code>.
            </p>
          )}
          <TextField
            name="username"
            label="User name"
            value={values.username}
            error={errors.username}
            autocomplete="username"
            isRequired
            hasFocus={!values.username}
          />
          <TextField
            name="password"
            label="Password"
            type="password"
            error={errors.password}
            autocomplete="current-password"
            isRequired
            hasFocus={Boolean(values.username)}
          />
          <button type="submit" class="primary">Sign in</button>
          <p class="help">
            Forgotten? Whoever runs the server sets a new password with{" "}
            <code>restic-manager-server user reset-password NAME</code>.
          </p>
        </form>
      </div>
    </Layout>
  );
}
