// All machines that wait, of which the dashboard shows the first few, and those that were rejected.
import { type FrameProps, Layout } from "../layout.tsx";
import { middleCut } from "../format.ts";
import { PostButton } from "../parts/csrf.tsx";
import { Empty } from "../parts/empty.tsx";
import { Name } from "../parts/name.tsx";
import { Pager } from "../parts/pager.tsx";
import { At } from "../parts/time.tsx";
import { Pending, type PendingHostView } from "./list.tsx";
import type { RejectedKey } from "../../shared/shapes/pending_host.ts";

export interface PendingPageProps {
  frame: FrameProps;
  hosts: PendingHostView[];
  total: number;
  rejected: RejectedKey[];
  mayDecide: boolean;
  /** Addresses of the pages before and after. */
  previous?: string;
  next?: string;
}

export function PendingPage(props: PendingPageProps) {
  const { frame, hosts, total, previous, next } = props;
  return (
    <Layout {...frame} title="Machines that ask to join" current="hosts" refreshSeconds={60}>
      <p class="crumbs">
        <a href="/">Hosts</a>
      </p>
      <div class="head">
        <h1>Machines that ask to join</h1>
      </div>
      {hosts.length === 0 && (
        <Empty title="No machine waits for approval" action={{ href: "/", label: "All hosts" }}>
          An agent that is started with RM_SERVER and without a token shows a fingerprint and
          appears here.
        </Empty>
      )}
      <Pending
        hosts={hosts}
        total={total}
        rejected={0}
        now={frame.now}
        mayDecide={props.mayDecide}
        isWhole
      />
      <div id="accept-place"></div>
      <Pager previous={previous} next={next} />
      {props.rejected.length > 0 && <Rejected keys={props.rejected} mayDecide={props.mayDecide} />}
    </Layout>
  );
}

function Rejected({ keys, mayDecide }: { keys: RejectedKey[]; mayDecide: boolean }) {
  return (
    <section class="section" aria-labelledby="rejected-title">
      <h2 id="rejected-title">Rejected within the last day</h2>
      <ul class="rows">
        {keys.map((key) => (
          <li>
            <div>
              <Name text={middleCut(key.hostname, 48)} />
              <span class="help">
                <code>{`${key.fingerprint.slice(0, 23)}…`}</code> · by{" "}
                <Name text={key.rejected_by} /> · may ask again after <At at={key.expires_at} />
              </span>
            </div>
            {mayDecide && (
              <PostButton
                to={`/rejected-keys/${key.id}/allow`}
                label="Allow again"
                describe={`Allow again: ${middleCut(key.hostname, 48)}`}
              />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
