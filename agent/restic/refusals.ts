// What keeps restic from its repository, read from the line in which restic, ssh or rclone says so. From 0.17 on restic
// repeats nearly every request for 15 minutes, whatever the answer was, and tells the cause in each line; before that it
// gave up at once. The texts are those of restic 0.14, 0.18 and 0.19.1 and of OpenSSH 9.2.

export interface Refusal {
  /** A reason code for programs. */
  code: string;
  /** Repeating the same will not help: nobody waits for restic to try again. */
  isFinal: boolean;
  /** What happened, without a full stop. The address and the way out follow. */
  what: string;
  /** What a person can do about it, as a sentence; undefined when the job's page says it well enough. */
  wayOut?: string;
}

interface Row {
  code: string;
  isFinal: boolean;
  pattern: RegExp;
  what: (match: RegExpExecArray) => string;
  wayOut?: string | ((url: string) => string);
}

const ACCEPT_KEY = (url: string) =>
  `As the user that runs the agent (root, on Windows LocalSystem), run \`${
    sshCommand(url)
  }\` on this host, compare the fingerprint with the server's, and answer yes.`;

/** An HTTP status, in the words of a request that reads and of one that writes (0.14); then its text. */
function http(codes: string): RegExp {
  return new RegExp(
    `(?:unexpected HTTP response \\((?:${codes})\\): |server response unexpected: (?=(?:${codes})\\b))([^\\n]*)`,
    "i",
  );
}

const TABLE: Row[] = [
  {
    code: "changed_host_key",
    isFinal: true,
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed/i,
    what: () => "The ssh host key of the repository's server is another one than before",
    wayOut: (url) =>
      `Find out why: someone may stand between. If the server was set up anew, remove the old key with \`ssh-keygen -R ${
        knownHostName(url)
      }\`, then accept the new one: ${ACCEPT_KEY(url)}`,
  },
  {
    code: "unknown_host_key",
    isFinal: true,
    pattern: /Host key verification failed|No \S+ host key is known for|authenticity of host/i,
    what: () =>
      "ssh does not know the host key of the repository's server (Host key verification failed)",
    wayOut: ACCEPT_KEY,
  },
  {
    code: "access_denied",
    isFinal: true,
    pattern: /(Permission denied \([a-z0-9,@.-]+\)|Too many authentication failures)/i,
    what: ([, text]) => `The repository's server refused the ssh login (${text})`,
    wayOut:
      "Put the public key of the user that runs the agent (root) into authorized_keys of the user on that server.",
  },
  {
    code: "unknown_authority",
    isFinal: true,
    pattern:
      /(?:x509|tls): [^\n]*(unknown authority|certificate is not trusted|self[- ]signed[^\n"]*)/i,
    what: () =>
      "The certificate of the repository's server comes from an authority that this host does not know",
    wayOut:
      "Let an admin put the authority's certificate into the repository's settings, or add it to those that this host's system trusts (Debian: a .crt file in /usr/local/share/ca-certificates, then update-ca-certificates).",
  },
  {
    code: "bad_certificate",
    isFinal: true,
    pattern: /x509: ([^\n"]+)/i,
    what: ([, text]) => `The certificate of the repository's server is not valid (${text?.trim()})`,
    wayOut:
      "Renew it, use the name in the address that it was made for, or set this host's clock right.",
  },
  {
    code: "wrong_protocol",
    isFinal: true,
    pattern: /server gave HTTP response to HTTPS client/i,
    what: () => "The repository's address says https, but the server there speaks plain http",
    wayOut: "Write http:// in the address, or give the server a certificate.",
  },
  {
    code: "wrong_protocol",
    isFinal: true,
    pattern: /malformed HTTP response "\\x15\\x03|client sent an HTTP request to an HTTPS server/i,
    what: () => "The repository's address says http, but the server there speaks https",
    wayOut: "Write https:// in the address.",
  },
  {
    code: "wrong_protocol",
    isFinal: true,
    pattern:
      /(malformed HTTP [^\n]*|first record does not look like a TLS handshake|received unexpected handshake message[^\n]*|oversized record received[^\n]*|unsupported SSLv2[^\n]*|Decode: invalid character[^\n]*|Bad protocol version identification|garbage (?:at|in)[^\n]*|Received message too long \d+)/i,
    what: ([, text]) =>
      `What answers at the repository's address is no server for repositories (${cut(text)})`,
    wayOut:
      "Check host, port and path of the address; a login page of a network or another service may answer there.",
  },
  {
    code: "unreachable",
    isFinal: true,
    pattern: /(proxyconnect tcp: [^\n]*)/i,
    what: ([, text]) => `The proxy that this host is to use cannot be reached (${cut(text)})`,
    wayOut: "Check HTTP_PROXY and HTTPS_PROXY of the agent's service.",
  },
  {
    code: "unknown_name",
    isFinal: false,
    pattern: /(Temporary failure in name resolution|server misbehaving|lookup [^\n]*i\/o timeout)/i,
    what: ([, text]) => `This host cannot look up names (${cut(text)})`,
    wayOut: "Check its network and its name servers.",
  },
  {
    code: "unknown_name",
    isFinal: true,
    pattern: /(no such host|could not resolve hostname[^\n]*|Name or service not known)/i,
    what: ([, text]) => `The name in the repository's address is not known (${cut(text)})`,
    wayOut: "Check the name in the address, and this host's name servers.",
  },
  {
    code: "unreachable",
    isFinal: true,
    pattern: /(connection refused|actively refused)/i,
    what: () => "The repository cannot be reached (connection refused)",
    wayOut: "Nothing listens at that address and port: start the server there, or correct them.",
  },
  {
    code: "access_denied",
    isFinal: true,
    pattern: /config file: [^\n]*(permission denied|access is denied)/i,
    what: ([, text]) => `This host may not read the repository (${text})`,
    wayOut: "Let the user that runs the agent, or logs in there, read and write that folder.",
  },
  {
    code: "access_denied",
    isFinal: true,
    pattern: http("401"),
    what: () => "The repository server refused user or password (401)",
    wayOut: "Set the right user name and password of the server on the repository's page.",
  },
  {
    code: "access_denied",
    isFinal: true,
    pattern: http("403"),
    what: () =>
      "The repository server refused user or password, or does not let this user do that there (403)",
    wayOut:
      "Check the path: with private repositories it begins with the user's name. A server that only takes additions refuses to delete.",
  },
  {
    code: "access_denied",
    isFinal: true,
    pattern:
      /(Access ?Denied|InvalidAccessKeyId|SignatureDoesNotMatch|(?:access key id|signature) [^\n]*(?:does not|not) (?:exist|match)[^\n]*|\(40[13]\))/i,
    what: ([, text]) => `The repository server refused user or password (${cut(text)})`,
  },
  {
    code: "http_error",
    isFinal: true,
    pattern: http("407"),
    what: () => "The proxy that this host is to use asks for a password (407)",
    wayOut: "Write user and password into HTTP_PROXY and HTTPS_PROXY of the agent's service.",
  },
  {
    code: "unreachable",
    isFinal: false,
    pattern: http("408|425|429|500|502|503|504|52\\d"),
    what: ([, text]) =>
      `The repository's server, or a proxy before it, cannot answer now (${cut(text)})`,
    wayOut: "Its own log says why.",
  },
  {
    code: "no_space",
    isFinal: true,
    pattern: http("507"),
    what: () => "No space left in the repository",
  },
  {
    code: "http_error",
    isFinal: true,
    pattern: http("(?!404)[1-5]\\d\\d"),
    what: ([, text]) =>
      `What answers at the repository's address does not take what restic asks (${cut(text)})`,
    wayOut:
      "Check host, port and path of the address: another web server, or one that only hands out files, may answer there.",
  },
  {
    code: "program_missing",
    isFinal: true,
    pattern: /exec: "?([\w.-]+)"?: (?:executable )?file not found/i,
    what: ([, name]) => `This host has no ${name}, which this repository needs`,
    wayOut: "Install it, so that it stands on the PATH of the agent's service.",
  },
  {
    code: "unknown_remote",
    isFinal: true,
    pattern: /didn't find section in config file/i,
    what: () => "rclone on this host has no remote of the name in the repository's address",
    wayOut: "Make it with `rclone config` as the user that runs the agent, or correct the address.",
  },
  {
    code: "unreachable",
    isFinal: false,
    pattern:
      /(no route to host|network is unreachable|i\/o timeout|TLS handshake timeout|connection timed out|operation timed out|context deadline exceeded|connection reset by peer|forcibly closed by the remote host|broken pipe|unexpected EOF|server closed idle connection|(?:remote error: )?tls: [^\n"]+|Connection closed by [^\n]+|kex_exchange_identification: [^\n]+)/i,
    what: ([, text]) => `The repository cannot be reached (${cut(text)})`,
  },
  {
    code: "unreachable",
    isFinal: false,
    pattern: /(?:: |error )EOF$/,
    what: () => "The repository's server ended the connection without an answer (EOF)",
    wayOut: "Its own log says why.",
  },
  {
    code: "unreachable",
    isFinal: false,
    pattern: /unable to start the sftp session/,
    what: () => "The repository cannot be reached by ssh, which did not say why",
  },
];

/** What the line says; undefined when it is about something else. `url` is the repository's, without a password. */
export function readRefusal(line: string, url: string): Refusal | undefined {
  for (const { pattern, code, isFinal, what, wayOut } of TABLE) {
    const match = pattern.exec(line);
    if (!match) continue;
    const way = typeof wayOut === "function" ? wayOut(url) : wayOut;
    return { code, isFinal, what: what(match), ...(way ? { wayOut: way } : {}) };
  }
  return undefined;
}

// What restic adds when a program that it started has ended: the program's own words say why.
const WORDLESS = /unable to start the sftp session|error talking HTTP to rclone|context canceled/;

/** Lines of restic's own, the one that says most about its end first: the latest, but what says nothing at the end. */
export function tellingLines(text: string): string[] {
  // Those about single files are left out: in them everybody writes who can name a file.
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("error: "));
  const [wordless, telling] = [true, false].map((is) =>
    lines.filter((line) => WORDLESS.test(line) === is).reverse()
  );
  return [...telling!, ...wordless!];
}

/** What kept restic from its repository, by its last word about it. */
export function lastRefusal(text: string, url: string): Refusal | undefined {
  const lines = tellingLines(text);
  const found = lines.map((line) => readRefusal(line, url)).filter((each) => each !== undefined);
  // ssh closes both with the same line.
  const isKey = found[0]?.code === "unknown_host_key";
  return isKey && found.find(({ code }) => code === "changed_host_key") || found[0];
}

/** ssh did not come through, and what it said about it did not reach restic's output. */
export function isWordless(text: string): boolean {
  return /unable to start the sftp session/.test(text) &&
    !text.split("\n").some((line) => line.startsWith("subprocess ssh: ") && readRefusal(line, ""));
}

/** The codes of what keeps every command from the repository, whatever it is to do there. */
export const NO_CONTACT: ReadonlySet<string> = new Set([
  "unreachable",
  "unknown_name",
  "unknown_authority",
  "bad_certificate",
  "wrong_protocol",
  "unknown_host_key",
  "changed_host_key",
  "program_missing",
  "unknown_remote",
]);

/** "what: address. Way out." */
export function refusalSentence({ what, wayOut }: Refusal, url: string): string {
  return `${what}: ${url}${wayOut ? `. ${wayOut}` : ""}`;
}

function cut(text: string | undefined): string {
  return (text ?? "").trim().replace(/[.:,;]+$/, "").slice(0, 200);
}

export interface SshTarget {
  host: string;
  user: string;
  port: string;
}

/** Whom restic calls for an sftp address; undefined for any other one. */
export function sshTarget(url: string): SshTarget | undefined {
  const text = /^sftp:(.*)$/s.exec(url)?.[1] ?? "";
  const match = text.startsWith("//")
    ? /^\/\/(?:([^@/]*)@)?(\[[^\]]+\]|[^:/@]+)(?::(\d+))?/.exec(text)
    : /^(?:([^@/]*)@)?(\[[^\]]+\]|[^:/@]+):/.exec(text);
  if (!match) return undefined;
  const [, user = "", host = "", port = ""] = match;
  return { host: host.replace(/^\[|\]$/g, ""), user, port };
}

function sshCommand(url: string): string {
  const { host, user, port } = sshTarget(url) ?? { host: "SERVER", user: "", port: "" };
  return `ssh ${port ? `-p ${port} ` : ""}${user ? `${user}@` : ""}${host}`;
}

/** As ~/.ssh/known_hosts names it. */
function knownHostName(url: string): string {
  const { host, port } = sshTarget(url) ?? { host: "SERVER", port: "" };
  return port && port !== "22" ? `'[${host}]:${port}'` : host;
}
