// The pages before anybody is signed in.
import { LoginPage } from "../../../templates/entry/login.tsx";
import { SetupPage } from "../../../templates/entry/setup.tsx";
import { HOSTILE, NOBODY, type Pages } from "./common.ts";

export const entryPages: Pages = {
  "setup": () => <SetupPage frame={NOBODY} token="abc" account={null} values={{}} errors={{}} />,
  "setup-user": () => (
    <SetupPage
      frame={NOBODY}
      token="abc"
      account={{ username: "u".repeat(64), role: "operator" }}
      values={{}}
      errors={{ password_again: "password_again must be the same password" }}
    />
  ),
  "setup-used": () => (
    <SetupPage frame={NOBODY} token={null} account={null} values={{}} errors={{}} />
  ),
  "login": () => <LoginPage frame={NOBODY} next="/" values={{}} errors={{}} />,
  "login-wrong": () => (
    <LoginPage
      frame={NOBODY}
      next="/"
      values={{ username: HOSTILE }}
      errors={{ "": "The user name or the password is wrong." }}
    />
  ),
};
