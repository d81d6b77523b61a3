// The account.
import { AccountPage } from "../../../templates/account/page.tsx";
import { DAY, frame, HOSTILE, HOUR, id, NOW, type Pages } from "./common.ts";

const account = (tokens: number, changes = {}) => (
  <AccountPage
    frame={frame()}
    passwordErrors={{}}
    tokens={Array.from({ length: tokens }, (_, i) => ({
      id: id(i),
      name: i === 1 ? HOSTILE : "nightly report",
      created_at: NOW - 40 * DAY,
      expires_at: i % 3 === 0 ? null : NOW + (i - 2) * 20 * DAY,
      last_used_at: i % 2 ? null : NOW - 3 * HOUR,
    }))}
    newToken={null}
    tokenValues={{ name: "", lifetime: "90" }}
    tokenErrors={{}}
    {...changes}
  />
);

export const accountPages: Pages = {
  "account": () => account(0),
  "account-tokens": () =>
    account(4, {
      newToken: {
        name: "nightly report",
        token: "rmt_3f9a11c077de0b42q3Yb0T0k7cXk1mJd8sWnZ4fRv2LpAe6H",
      },
      passwordErrors: { current_password: "current_password is not your password" },
      tokenErrors: { name: "name must not be empty" },
    }),
};
