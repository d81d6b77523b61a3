// How to get at a snapshot without us. The secrets are on a page of their own, after the password, once.
import { type FrameProps, Layout } from "../layout.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { TextField } from "../parts/field.tsx";
import type { SnapshotView } from "./page.tsx";

const address = (s: SnapshotView) => `/snapshots/${s.id}/by-hand?repository=${s.repository_id}`;

/** Admins. */
export function WithoutUs({ snapshot: s, csrf }: { snapshot: SnapshotView; csrf: string }) {
  return (
    <section class="section stack" id="by-hand">
      <h2>Without restic-manager</h2>
      <p class="muted">
        Plain restic on any machine that reaches the repository does it too. The commands hold the
        repository's password and credential: they are shown once, after your own password, and that
        is in the audit.
      </p>
      <Confirm label="Show the commands…" to={address(s)} csrf={csrf} button="Show">
        <TextField
          name="password"
          label="Your password"
          type="password"
          autocomplete="current-password"
          isRequired
        />
      </Confirm>
    </section>
  );
}

export function ByHandPage(
  { frame, snapshot: s, text }: { frame: FrameProps; snapshot: SnapshotView; text: string },
) {
  return (
    <Layout
      {...frame}
      title={`Snapshot ${s.id.slice(0, 8)} without restic-manager`}
      current="hosts"
    >
      <p class="crumbs">
        <a href={`/snapshots/${s.id}?repository=${s.repository_id}`}>
          Snapshot {s.id.slice(0, 8)}
        </a>
      </p>
      <h1>Without restic-manager</h1>
      <p>
        For {s.source?.os === "windows" ? "PowerShell" : "a POSIX shell"}{" "}
        on any machine with restic that reaches the repository. Everything in it is secret: this
        page is not kept anywhere and cannot be loaded again.
      </p>
      {/* As it is: a letter that is shown in another way is another secret. */}
      <pre class="code whole">{text}</pre>
    </Layout>
  );
}
