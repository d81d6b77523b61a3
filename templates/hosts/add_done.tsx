// The one answer that shows the joining command. A reload cannot show it again: the server keeps only a hash.
import { visible } from "../../shared/redact.ts";
import type { Host } from "../../shared/shapes/host.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { Command } from "../parts/copyable.tsx";
import { Name } from "../parts/name.tsx";
import { StateWord } from "../parts/state.tsx";
import { At, Time } from "../parts/time.tsx";
import { GeneratedPassword } from "../repositories/page.tsx";

export interface AddHostDoneProps {
  frame: FrameProps;
  hostname: string;
  /** Of the enrolment token, for the stream /live/joining/<id>. */
  tokenId: string;
  commands: { linux: string; windows: string };
  expires_at: number;
  /** When the server made the repository's password. */
  generatedPassword: string | null;
  /** Files that this server does not have, so that a command would fail. */
  missing: { folder: string; linux: string[]; windows: string[] };
  joined: JoinedHost | null;
  /** It takes back a host that is here; whether the agent that has it now is connected. */
  rejoins?: Pick<Host, "id" | "online">;
}

type JoinedHost = Pick<Host, "id" | "name" | "online">;

export function AddHostDonePage(props: AddHostDoneProps) {
  const { frame, hostname, commands, expires_at, missing } = props;
  return (
    <Layout
      {...frame}
      title={`Join ${hostname}`}
      current="hosts"
      live={`/live/joining/${props.tokenId}`}
    >
      <div class="stack add-done">
        <div>
          <h1>
            Run one command on <Name text={hostname} />
          </h1>
          <p class="lead">
            It works once, until <At at={expires_at} />, and is shown only now.
          </p>
          {props.rejoins && <Rejoins {...props.rejoins} />}
        </div>
        {props.generatedPassword && <GeneratedPassword password={props.generatedPassword} />}
        <div>
          <h2>Linux</h2>
          <p class="help">In a shell, as root or as a user who may use sudo.</p>
          <Missing files={missing.linux} folder={missing.folder} what="Linux" />
        </div>
        <Command text={commands.linux} what="the Linux command" />
        <div>
          <h2>Windows</h2>
          <p class="help">In PowerShell, started as administrator.</p>
          <Missing files={missing.windows} folder={missing.folder} what="Windows" />
        </div>
        <Command text={commands.windows} what="the Windows command" />
        <Joining joined={props.joined} expires_at={props.expires_at} now={frame.now} />
        <noscript>
          <p class="muted">
            When the command has run, the machine stands in <a href="/">the list of hosts</a>.
          </p>
        </noscript>
      </div>
    </Layout>
  );
}

function Rejoins({ id, online }: Pick<Host, "id" | "online">) {
  return (
    <>
      <p>
        The machine takes this host back, with its source groups, repository and snapshots. Its
        schedules are then paused and its retention is on hold, until you say on{" "}
        <a href={`/hosts/${id}`}>the host's page</a> that its data is restored.
      </p>
      {online && (
        <p class="flash warn" role="status">
          An agent of this host is connected now. While it is, the command is refused and stays
          valid.
        </p>
      )}
    </>
  );
}

function Missing({ files, folder, what }: { files: string[]; folder: string; what: string }) {
  if (files.length === 0) return null;
  return (
    <p class="flash warn" role="status">
      This server cannot hand out the agent for {what} yet, so the command would fail. Put{" "}
      {files.map((file, n) => (
        <>
          {n > 0 && (what === "Linux" ? " or " : " and ")}
          <code>{file}</code>
        </>
      ))} into <code>{visible(folder)}</code>.
    </p>
  );
}

/** Live fragment `joining`. */
export function Joining(
  { joined, expires_at, now }: { joined: JoinedHost | null; expires_at: number; now: number },
) {
  return (
    <div id="joining" class="joining" role="status">
      {joined
        ? (
          <>
            <StateWord state="ok" word="joined" />
            <span>
              <Name text={joined.name} />{" "}
              is here{joined.online ? " and online" : ""}. Its repository is opened next.
            </span>
            <a class="button primary" href={`/hosts/${joined.id}`}>Open the host</a>
          </>
        )
        : expires_at <= now
        ? (
          <>
            <StateWord state="off" word="expired" />
            <span>The command was not used in time.</span>
            <a class="button" href="/hosts/new">Make another</a>
          </>
        )
        : (
          <>
            <StateWord state="run" word="waiting for it to join" />
            <span class="muted">
              The command expires <Time at={expires_at} now={now} />.
            </span>
          </>
        )}
    </div>
  );
}
