// A restore that is being put together, and what restores came to.
import { RestorePage, type RestorePageProps } from "../../../templates/restores/page.tsx";
import { frame, HOSTILE, id, LONG, NOW, type Pages } from "./common.ts";
import { SNAPSHOT } from "./snapshot.tsx";

const HOSTS = [
  { id: id(1), name: "web-01", os: "linux", online: true },
  { id: id(2), name: "db-01", os: "linux", online: false },
  { id: id(3), name: "pc-buero", os: "windows", online: true },
];

const CHOICE = {
  host_id: id(1),
  kind: "folder" as const,
  path: "",
  keep_paths: true,
  overwrite: "always",
  verify: false,
  undo: true,
};

const page = (
  { choice = {}, items = ["/home/anna/letters", "/home/anna/photos/2026/summer.jpg"], ...more }:
    & Partial<RestorePageProps>
    & { choice?: Partial<RestorePageProps["draft"]["choice"]>; items?: string[] } = {},
) =>
  RestorePage({
    frame: frame(),
    draft: {
      id: id(900),
      repository_id: SNAPSHOT.repository_id,
      items,
      items_count: items.length,
      choice: { ...CHOICE, ...choice },
      expires_at: NOW,
    },
    snapshot: SNAPSHOT,
    hosts: HOSTS,
    host: { ...HOSTS[0]!, hasRepository: true },
    proposed: "/srv/restore/1a2b3c4d-20261126-0915",
    isBackedUp: false,
    isAdmin: true,
    errors: {},
    ...more,
  });

export const restorePages: Pages = {
  "restore-folder": () => page(),
  "restore-in-place": () =>
    page({
      choice: { kind: "original", overwrite: "if-newer", verify: true },
      errors: {
        "target.confirm_hostname":
          "target.confirm_hostname must be web-01: what is there now is written over.",
      },
    }),
  "restore-operator": () =>
    page({
      isAdmin: false,
      hosts: HOSTS.slice(0, 1),
      isBackedUp: true,
      snapshot: { ...SNAPSHOT, job: { id: id(1001), warnings: 3, seconds: 10 } },
      choice: { path: "/home/restored", keep_paths: false },
    }),
  "restore-hostile": () =>
    page({
      items: [`/${HOSTILE}`, `/${LONG}`, "bytes:/caf%E9/%1B[31m", "/two\nlines", "/‮gpj.exe"],
      hosts: [{ id: id(1), name: HOSTILE.slice(0, 200), os: "linux", online: false }],
      host: {
        id: id(1),
        name: HOSTILE.slice(0, 200),
        os: "linux",
        online: false,
        hasRepository: false,
      },
      choice: { path: `/${LONG}` },
      snapshot: { ...SNAPSHOT, withheld: true, hostname: HOSTILE, source: null },
    }),
  "restore-empty": () => page({ items: [], host: undefined, choice: { host_id: "" } }),
};
