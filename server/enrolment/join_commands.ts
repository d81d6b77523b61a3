/**
 * The command that a person runs on the machine; without a token it announces itself. It asks for root itself, and the
 * token is in the environment alone: arguments can be read by every user of a machine. wget where there is no curl, as on
 * a Debian as it comes. Values come from settings and our own secrets, never from a request's text.
 */
export function joinCommands(baseUrl: string, token?: string): { linux: string; windows: string } {
  const script = inShell(`${baseUrl}/install/install.sh`);
  const variables = `RM_SERVER=${inShell(baseUrl)}${token ? ` RM_TOKEN=${token}` : ""}`;
  return {
    linux: `(curl -fsSL ${script} || wget -qO- ${script}) | ${variables} sh`,
    windows: `$env:RM_SERVER='${baseUrl}'; ${
      token ? `$env:RM_TOKEN='${token}'; ` : ""
    }irm ${baseUrl}/install/install.ps1 | iex`,
  };
}

/** The brackets of an IPv6 address are a pattern of file names to some shells. */
function inShell(text: string): string {
  return /^[\w.:/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
