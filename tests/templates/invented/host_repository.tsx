// The connection of a host with its repository.
import { HostRepositoryPage } from "../../../templates/hosts/repository.tsx";
import { HOSTILE, type Pages } from "./common.ts";
import { BROKEN_HOST, hostProps, hostView } from "./host.tsx";
import { HOOK_TEXT } from "./sources.tsx";
import { NO_WINDOW } from "./schedules.tsx";
import { repositoryView } from "./repositories.tsx";

export const hostRepositoryPages: Pages = {
  "host-repository": () => (
    <HostRepositoryPage
      {...hostProps(hostView())}
      repository={repositoryView()}
      limits={{ bandwidth_up_kbps: "2048", bandwidth_down_kbps: "" }}
      windows={[
        {
          days: "mon,tue,wed,thu,fri",
          from: "08:00",
          to: "18:00",
          bandwidth_up_kbps: "512",
          bandwidth_down_kbps: "",
        },
        { ...NO_WINDOW, days: "mon,wed", from: "22:00", to: "06:00" },
        NO_WINDOW,
      ]}
      limitErrors={{}}
      hooks={[
        {
          hook: "pre_hook",
          name: "pre_hook_default",
          value: HOOK_TEXT,
          cannotDecrypt: false,
          inForce: { from: "host", text: HOOK_TEXT },
        },
        {
          hook: "post_hook",
          name: "post_hook_default",
          value: "",
          cannotDecrypt: false,
          inForce: null,
        },
      ]}
      hook_stop_at_error_default
      hookErrors={{}}
      isAdmin
      reinitName=""
      reinitErrors={{}}
    />
  ),
  "host-repository-broken": () => (
    <HostRepositoryPage
      {...hostProps({ ...BROKEN_HOST, online: true, time_zone: "UTC" })}
      repository={repositoryView({
        name: HOSTILE,
        url: `/mnt/${HOSTILE}`,
        initialised_at: null,
        total_size: null,
        environment_names: [],
      })}
      limits={{ bandwidth_up_kbps: "fast", bandwidth_down_kbps: "" }}
      windows={[{ ...NO_WINDOW, days: "mon", from: HOSTILE }, NO_WINDOW]}
      limitErrors={{
        bandwidth_up_kbps: "bandwidth_up_kbps must be a whole number",
        "windows.0.from": "windows.0.from must be a time from 00:00 to 23:59",
      }}
      hooks={[{
        hook: "pre_hook",
        name: "pre_hook_default",
        value: "echo </textarea><script>alert(1)</script>",
        error: "pre_hook_default must be at most 32768 characters",
        cannotDecrypt: true,
        inForce: { from: "host", text: null },
      }]}
      hook_stop_at_error_default
      hookErrors={{ pre_hook_default: "pre_hook_default must be at most 32768 characters" }}
      isAdmin
      reinitName="web-1"
      reinitErrors={{ confirm_hostname: "confirm_hostname must be the name of the host" }}
    />
  ),
};
