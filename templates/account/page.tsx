// One's own account: password, theme, API tokens.
import { type FrameProps, Layout, ThemeSwitch } from "../layout.tsx";
import { Command } from "../parts/copyable.tsx";
import { Csrf, PostButton } from "../parts/csrf.tsx";
import { type Errors, Problems, SelectField, TextField } from "../parts/field.tsx";
import { Name } from "../parts/name.tsx";
import { At, Time } from "../parts/time.tsx";
import { day } from "../format.ts";
import type { ApiToken } from "../../shared/shapes/user.ts";

export const TOKEN_LIFETIMES = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "1 year" },
  { value: "never", label: "until revoked" },
];

export interface AccountProps {
  frame: FrameProps;
  passwordErrors: Errors;
  tokens: ApiToken[];
  /** Right after it was made: shown on this one answer. */
  newToken: { name: string; token: string } | null;
  tokenValues: { name: string; lifetime: string };
  tokenErrors: Errors;
}

export function AccountPage(props: AccountProps) {
  const { frame } = props;
  return (
    <Layout {...frame} title="Account" current="account">
      <div class="head">
        <div>
          <h1>Account</h1>
          {frame.user && (
            <p class="lead">
              <Name text={frame.user.username} />, {frame.user.role}
            </p>
          )}
        </div>
      </div>
      <section class="section" aria-labelledby="theme-title">
        <h2 id="theme-title">Theme</h2>
        <div class="theme-wide">
          <ThemeSwitch theme={frame.theme} csrf={frame.csrf} />
        </div>
      </section>
      <Password {...props} />
      <Tokens {...props} />
    </Layout>
  );
}

function Password({ frame, passwordErrors: errors }: AccountProps) {
  return (
    <section class="section" aria-labelledby="password-title">
      <h2 id="password-title">Password</h2>
      <form method="post" action="/account/password" class="form password-form">
        <Csrf token={frame.csrf} />
        <Problems errors={errors} />
        <TextField
          name="current_password"
          label="Present password"
          type="password"
          autocomplete="current-password"
          error={errors.current_password}
          isRequired
        />
        <TextField
          name="new_password"
          label="New password"
          type="password"
          autocomplete="new-password"
          error={errors.new_password}
          help="At least 10 characters. Your other sessions and all your API tokens end."
          isRequired
        />
        <TextField
          name="new_password_again"
          label="The new password again"
          type="password"
          autocomplete="new-password"
          error={errors.new_password_again}
          isRequired
        />
        <button type="submit">Change password</button>
      </form>
    </section>
  );
}

function Tokens(props: AccountProps) {
  const { frame, tokens, newToken, tokenValues, tokenErrors } = props;
  return (
    <section class="section" id="tokens" aria-labelledby="tokens-title">
      <h2 id="tokens-title">API tokens</h2>
      <p class="muted">
        For scripts:{" "}
        <code>Authorization: Bearer TOKEN</code>. A token may do what your role may, but not change
        the password, and what it makes ends with it: tokens, join commands, and accounts that it
        made or changed. The API is described at <a href="/api/openapi.json">/api/openapi.json</a>.
      </p>
      {newToken && (
        <div class="flash warn stack" role="status">
          <p>
            <b>
              Copy the token “<Name text={newToken.name} />” now.
            </b>{" "}
            It is shown only this once.
          </p>
          <Command text={newToken.token} what="the token" />
        </div>
      )}
      {tokens.length > 0 && (
        <ul class="rows">
          {tokens.map((token) => <TokenRow token={token} now={frame.now} />)}
        </ul>
      )}
      <form method="post" action="/account/tokens" class="form token-form">
        <Csrf token={frame.csrf} />
        <Problems errors={{ "": tokenErrors[""] }} />
        <div class="row">
          <TextField
            name="name"
            label="What the token is for"
            value={tokenValues.name}
            error={tokenErrors.name}
            placeholder="nightly report"
            isRequired
          />
          <SelectField
            name="lifetime"
            label="Valid for"
            value={tokenValues.lifetime}
            error={tokenErrors.lifetime ?? tokenErrors.expires_at}
            options={TOKEN_LIFETIMES}
          />
        </div>
        <button type="submit">Make token</button>
      </form>
    </section>
  );
}

function TokenRow({ token, now }: { token: ApiToken; now: number }) {
  return (
    <li>
      <span class="wrap">
        <Name text={token.name} />{" "}
        <span class="help">
          {token.last_used_at === null ? "never used" : (
            <>
              used <Time at={token.last_used_at} now={now} />
            </>
          )}, {token.expires_at === null
            ? "valid until revoked"
            : token.expires_at <= now
            ? "expired"
            : (
              <>
                valid until <At at={token.expires_at} text={day(token.expires_at)} />
              </>
            )}
        </span>
      </span>
      <PostButton
        to={`/account/tokens/${token.id}/revoke`}
        label="Revoke"
        describe={`Revoke ${token.name}`}
      />
    </li>
  );
}
