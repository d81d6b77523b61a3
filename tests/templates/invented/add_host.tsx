// Adding a host, and letting one join again.
import { AddHostPage, type AddHostProps } from "../../../templates/hosts/add.tsx";
import { AddHostDonePage } from "../../../templates/hosts/add_done.tsx";
import { NO_CONNECTION } from "../../../templates/repositories/connection_fields.tsx";
import { CHOICES, frame, HOSTILE, HOUR, id, LONG, NOW, type Pages } from "./common.ts";

const addHost = (changes: Partial<AddHostProps> = {}): AddHostProps => ({
  frame: frame(),
  values: {
    hostname: "",
    replace_open: false,
    tags: "",
    initial_paths: "",
    may_hold_admin_credential: true,
    repository_choice: "new",
    repository_id: "",
    repository: NO_CONNECTION,
  },
  announceCommands: {
    linux:
      "curl -fsSL https://backup.example.org/install/install.sh | RM_SERVER=https://backup.example.org sh",
    windows:
      "$env:RM_SERVER='https://backup.example.org'; irm https://backup.example.org/install/install.ps1 | iex",
  },
  errors: {},
  repositories: [],
  mayName: true,
  ...changes,
});

const LINUX =
  "curl -fsSL https://backup.example.org/install/install.sh | RM_SERVER=https://backup.example.org RM_TOKEN=rme_3f9a11c077de0b42q3Yb0T0k7cXk1mJd8sWnZ4fRv2LpAe6H sh";

const WINDOWS =
  "$env:RM_SERVER='https://backup.example.org'; $env:RM_TOKEN='rme_3f9a11c077de0b42q3Yb0T0k7cXk1mJd8sWnZ4fRv2LpAe6H'; irm https://backup.example.org/install/install.ps1 | iex";

export const addHostPages: Pages = {
  "add-host": () => <AddHostPage {...addHost()} />,
  "add-host-wrong": () => (
    <AddHostPage
      {...addHost({
        repositories: CHOICES,
        values: {
          hostname: HOSTILE,
          replace_open: true,
          tags: "a b",
          initial_paths: "etc\n/home",
          may_hold_admin_credential: true,
          repository_choice: "new",
          repository_id: id(71),
          repository: {
            ...NO_CONNECTION,
            name: "nas",
            url: "rest:https://user:pw@nas/",
            is_new: false,
            environment: [{ name: "AWS_REGION", isSet: false }],
          },
        },
        errors: {
          hostname:
            "hostname must begin with a letter or digit and hold only letters, digits, dots, dashes and underscores",
          initial_paths:
            "line 1 must be an absolute path such as /home, C:\\Users or \\\\server\\share",
          "repository.url":
            "repository.url must not hold a user and password; put them into the fields for user and password",
        },
      })}
    />
  ),
  "add-host-done": () => (
    <AddHostDonePage
      frame={frame()}
      hostname="web-02"
      tokenId={id(1)}
      commands={{ linux: LINUX, windows: WINDOWS }}
      expires_at={NOW + HOUR - 2000}
      generatedPassword="vK3q-Zt8w-Rb5m-Xn2c-Jd7f-Hs9p-Lg4y-Qa6e"
      missing={{
        folder: "/var/lib/restic-manager-server/agent-binaries",
        linux: [],
        windows: ["restic-manager-agent-windows-x64.exe", "nssm.exe"],
      }}
      joined={null}
    />
  ),
  "add-host-joined": () => (
    <AddHostDonePage
      frame={frame()}
      hostname={LONG}
      tokenId={id(1)}
      commands={{ linux: LINUX, windows: WINDOWS }}
      expires_at={NOW + HOUR}
      generatedPassword={null}
      missing={{ folder: "", linux: [], windows: [] }}
      joined={{ id: id(2), name: LONG, online: true }}
    />
  ),
  "host-join-again": () => (
    <AddHostDonePage
      frame={frame()}
      hostname="web-02"
      tokenId={id(1)}
      commands={{ linux: LINUX, windows: WINDOWS }}
      expires_at={NOW + HOUR}
      generatedPassword={null}
      missing={{ folder: "", linux: [], windows: [] }}
      joined={null}
      rejoins={{ id: id(2), online: true }}
    />
  ),
};
