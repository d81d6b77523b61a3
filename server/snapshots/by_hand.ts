// The commands by which anybody gets at a snapshot without us: plain restic on a bare machine, with the real address and secrets.
import type { RepositoryAccess } from "../../shared/repository_access.ts";
import { isFileName } from "../../shared/repository_environment.ts";
import { RepositoryOptions } from "../../shared/repository_options.ts";
import { change } from "../change.ts";
import { getRepositoryRow } from "../repositories/find.ts";
import { accessFor } from "../repositories/seal.ts";
import type { Actor, Server } from "../server.ts";
import { confirmPassword } from "../users/confirm_password.ts";
import { auditedSnapshot } from "./audited.ts";
import type { FoundSnapshot } from "./get.ts";

/** Audited before it is told. Throws as confirmPassword() does. */
export async function commandsByHand(
  server: Server,
  actor: Actor,
  snapshot: FoundSnapshot,
  password: string,
): Promise<string> {
  await confirmPassword(server, actor, password);
  const row = await getRepositoryRow(server, snapshot.repository_id);
  const access = await accessFor(server, row);
  await change(
    server,
    actor,
    ({ audit }) => audit(auditedSnapshot("repository.secrets_shown", snapshot)),
  );
  return textOf(access, snapshot);
}

export function textOf(
  access: RepositoryAccess,
  { id, source }: Pick<FoundSnapshot, "id" | "source">,
): string {
  const shell = source?.os === "windows" ? POWERSHELL : SH;
  const environment = { RESTIC_REPOSITORY: addressOf(access), RESTIC_PASSWORD: access.password };
  const options = RepositoryOptions.parse(access.options ?? {});
  const more = [
    ...access.certificate_authority ? ["--cacert", CERTIFICATE] : [],
    ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
  ].map(shell.quoted);
  const run = (...args: string[]) => ["restic", ...args.map(shell.quoted), ...more].join(" ");
  // 63 digits: with all of them 0.16 asks for a snapshot that is gone for a minute.
  const short = id.slice(0, 63);
  const all = Object.entries({ ...environment, ...access.environment, ...forRclone(access) });
  return [
    ...all.flatMap(([name, value]) => [
      ...isFileName(name)
        ? [`# ${name}: a file of the host. Copy it here, or write its place.`]
        : [],
      shell.variable(name, value),
    ]),
    ...access.certificate_authority ? [shell.file(CERTIFICATE, access.certificate_authority)] : [],
    run("snapshots"),
    run("ls", short),
    run("restore", short, "--target", shell.target),
  ].join("\n") + "\n";
}

const CERTIFICATE = "repository.pem";

/** restic does not tell rclone of its own --cacert. */
function forRclone({ url, certificate_authority }: RepositoryAccess): Record<string, string> {
  return url.startsWith("rclone:") && certificate_authority ? { RCLONE_CA_CERT: CERTIFICATE } : {};
}

/** With the credential in the address, as every version takes it. */
function addressOf({ url, username, rest_password }: RepositoryAccess): string {
  if (!username || !url.startsWith("rest:")) return url;
  const login = `${encodeURIComponent(username)}:${encodeURIComponent(rest_password ?? "")}@`;
  return url.replace("//", () => `//${login}`);
}

interface Shell {
  quoted(text: string): string;
  variable(name: string, value: string): string;
  file(name: string, content: string): string;
  target: string;
}

/** POSIX: between single quotes everything is itself but the quote. */
const SH: Shell = {
  quoted: (text) => /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`,
  variable: (name, value) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`,
  file: (name, content) => `printf %s '${content.replaceAll("'", `'\\''`)}' > ${name}`,
  target: "/srv/restore",
};

/** about_Quoting_Rules: a single quote is written twice, also each of those that look alike. */
const POWERSHELL: Shell = {
  quoted: (text) => /^[\w@%+=:,./\\-]+$/.test(text) && !text.startsWith("@") ? text : twice(text),
  variable: (name, value) => `$env:${name} = ${twice(value)}`,
  file: (name, content) => `Set-Content -NoNewline -Path ${name} -Value ${twice(content)}`,
  target: "C:\\restored",
};

function twice(text: string): string {
  return `'${text.replaceAll(/['\u2018\u2019\u201a\u201b]/g, "$&$&")}'`;
}
