// The frame around every page: navigation, the fleet's state, the reader's menu, and what live updates need.
import type { Child } from "hono/jsx";
import { visible } from "../shared/redact.ts";
import { assetUrl } from "./assets/assets.ts";
import { count, plural } from "./format.ts";
import { Csrf } from "./parts/csrf.tsx";
import { Name } from "./parts/name.tsx";
import { Dot, type State } from "./parts/state.tsx";
import type { FleetSummary } from "../shared/shapes/host.ts";
import type { User } from "../shared/shapes/user.ts";

export type Theme = "auto" | "light" | "dark";
export type Place = "hosts" | "repositories" | "jobs" | "audit" | "account" | "none";

/** Hosts by state; one that needs someone may be offline too, or just run. */
export type Fleet = Pick<FleetSummary, "ok" | "attention" | "running" | "offline" | "total">;

/** What every page needs besides its own props; one per request. */
export interface FrameProps {
  user: Pick<User, "username" | "role"> | null;
  theme: Theme;
  fleet: Fleet;
  csrf: string;
  /** The server's clock, milliseconds since 1970. */
  now: number;
  flash?: { state?: State; text: string };
  /** What everybody must know before doing anything. */
  notice?: string;
  /** The part of it that concerns those too who are not signed in. */
  publicNotice?: string;
}

interface LayoutProps extends FrameProps {
  title: string;
  current: Place;
  /** The stream of this page; without one only the fleet's state is live. */
  live?: string;
  /** With scripts off the page loads itself again this often. */
  refreshSeconds?: number;
  children?: Child;
}

const HTMX = JSON.stringify({
  includeIndicatorStyles: false,
  allowEval: false,
  selfRequestsOnly: true,
  historyCacheSize: 0,
});

const THEMES: { value: Theme; label: string }[] = [
  { value: "auto", label: "System" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

/** The whole document, without the doctype, which JSX cannot write: the server puts it in front. */
export function Layout(props: LayoutProps) {
  const { title, user, theme, now, csrf, flash } = props;
  return (
    <html lang="en" data-theme={theme} data-now={now}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="htmx-config" content={HTMX} />
        <meta name="color-scheme" content={theme === "auto" ? "light dark" : theme} />
        <title>{`${visible(title)} · restic-manager`}</title>
        <link rel="icon" href={assetUrl("icon.svg")} type="image/svg+xml" />
        <link
          rel="preload"
          href={assetUrl("inter-latin.woff2")}
          as="font"
          type="font/woff2"
          crossorigin=""
        />
        <link rel="stylesheet" href={assetUrl("app.css")} />
        <script src={assetUrl("htmx.min.js")} defer></script>
        <script type="module" src={assetUrl("app.js")}></script>
        {props.refreshSeconds && (
          <noscript>
            <meta http-equiv="refresh" content={`${props.refreshSeconds}`} />
          </noscript>
        )}
      </head>
      <body data-live={user ? props.live ?? "/live/fleet" : undefined}>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="bar">
          <div class="bar-in">
            <a class="brand" href="/">restic-manager</a>
            {user && <Places {...props} user={user} />}
          </div>
        </header>
        <main id="main" tabindex={-1}>
          <Notice text={user ? props.notice : props.publicNotice} />
          {flash && (
            <p class={`flash ${flash.state ?? "ok"}`} role="status">{visible(flash.text)}</p>
          )}
          {props.children}
        </main>
        {user && (
          <>
            <form id="act" method="post" hidden>
              <Csrf token={csrf} />
            </form>
            <Keys />
          </>
        )}
      </body>
    </html>
  );
}

function Places(
  { user, current, fleet, theme, csrf }: LayoutProps & { user: NonNullable<FrameProps["user"]> },
) {
  const link = (place: Place, href: string, label: string) => (
    <a href={href} aria-current={current === place ? "page" : undefined}>{label}</a>
  );
  return (
    <>
      <nav class="places" aria-label="Main">
        {link("hosts", "/", "Hosts")}
        {user.role !== "viewer" && link("repositories", "/repositories", "Repositories")}
        {link("jobs", "/jobs", "Jobs")}
        {user.role === "admin" && link("audit", "/audit", "Audit")}
      </nav>
      <FleetState fleet={fleet} />
      <span class="lost" id="lost" role="status" hidden>Not live: reconnecting…</span>
      <span class="lost" id="not-live" role="status" hidden>
        Not live: too many live pages are open. <a href="#">Reload</a>
      </span>
      <details class="menu">
        <summary>
          <Name text={user.username} />
        </summary>
        <div class="menu-sheet">
          <p class="menu-who">
            Signed in as <Name text={user.username} />, {user.role}
          </p>
          <a href="/account">Account</a>
          <ThemeSwitch theme={theme} csrf={csrf} />
          <form method="post" action="/logout">
            <Csrf token={csrf} />
            <button type="submit" class="plain">Sign out</button>
          </form>
        </div>
      </details>
    </>
  );
}

/** Live fragment `notice`. */
export function Notice({ text }: { text?: string }) {
  return <div id="notice">{text && <p class="flash bad" role="alert">{text}</p>}</div>;
}

/** Live fragment `fleet`. */
export function FleetState({ fleet }: { fleet: Fleet }) {
  const { ok, attention, running, offline, total } = fleet;
  return (
    <div class="fleet" id="fleet" role="status" aria-label="Fleet">
      {total === 0 && <span class="muted">no hosts yet</span>}
      {ok > 0 && <FleetPart state="ok" filter="ok" text={`${count(ok)} ok`} />}
      {running > 0 && (
        <FleetPart state="run" filter="running" text={`${count(running)} running`} isCalm />
      )}
      {attention > 0 && (
        <FleetPart
          state="warn"
          filter="attention"
          text={`${count(attention)} ${attention === 1 ? "needs" : "need"} you`}
        />
      )}
      {offline > 0 && (
        <FleetPart state="off" filter="offline" text={`${count(offline)} offline`} isCalm />
      )}
    </div>
  );
}

/** On a phone there is no room for what is calm. */
function FleetPart(
  { state, filter, text, isCalm }: {
    state: State;
    filter: string;
    text: string;
    isCalm?: boolean;
  },
) {
  return (
    <a class={isCalm ? "state calm" : "state"} href={`/?state=${filter}`}>
      <span class={`state ${state}`}>
        <Dot state={state} />
      </span>
      {text}
    </a>
  );
}

export function ThemeSwitch({ theme, csrf }: { theme: Theme; csrf: string }) {
  return (
    <form method="post" action="/account/theme" class="theme" data-theme-form>
      <Csrf token={csrf} />
      <div class="choice" role="group" aria-label="Theme">
        {THEMES.map(({ value, label }) => (
          <button
            type="submit"
            name="theme"
            value={value}
            aria-pressed={value === theme ? "true" : "false"}
          >
            {label}
          </button>
        ))}
      </div>
    </form>
  );
}

function Keys() {
  const keys: [string, string][] = [
    ["/", "Search"],
    ["g h", "Hosts"],
    ["g r", "Repositories"],
    ["g j", "Jobs"],
    ["?", "These keys"],
  ];
  return (
    <dialog class="keys" id="keys" aria-label="Keys">
      <h2>Keys</h2>
      <dl>
        {keys.map(([key, what]) => (
          <>
            <dt>{key.split(" ").map((part) => <kbd>{part}</kbd>)}</dt>
            <dd>{what}</dd>
          </>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}

/** The first sentence about the fleet, the same on the dashboard and in its title. */
export function fleetInWords(fleet: Fleet): string {
  if (fleet.total === 0) return "No hosts yet.";
  if (fleet.attention > 0) {
    return `${plural(fleet.attention, "host needs", "hosts need")} you.`;
  }
  if (fleet.offline > 0) {
    return `Nothing needs you; ${plural(fleet.offline, "host is", "hosts are")} offline.`;
  }
  return fleet.total === 1
    ? "Your host is backed up."
    : `All ${count(fleet.total)} hosts are backed up.`;
}
