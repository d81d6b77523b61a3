// Machines that wait for approval. What a stranger sent stands beside the fingerprint, which comes first: it alone counts.
import { codePoints } from "../../shared/deceptive_name.ts";
import { visible } from "../../shared/redact.ts";
import { count, middleCut, plural } from "../format.ts";
import { PostButton } from "../parts/csrf.tsx";
import { Name, titleOf } from "../parts/name.tsx";
import { StateWord } from "../parts/state.tsx";
import { Time } from "../parts/time.tsx";
import { Fingerprint } from "./fingerprint.tsx";
import type { PendingHost } from "../../shared/shapes/pending_host.ts";

export type PendingHostView = Omit<PendingHost, "last_seen_at" | "expires_at" | "dialled">;

export interface PendingProps {
  /** The first few of them. */
  hosts: PendingHostView[];
  total: number;
  /** How many were rejected within the last day; they have a page of their own. */
  rejected: number;
  now: number;
  /** Admins. */
  mayDecide: boolean;
  /** On the page of all of them, which need not be pointed to. */
  isWhole?: boolean;
}

/** Live fragment `pending`; hidden while there is nothing to say. */
export function Pending({ hosts, total, rejected, now, mayDecide, isWhole }: PendingProps) {
  return (
    <section
      id="pending"
      class="section"
      data-shifts
      hidden={total + rejected === 0}
      aria-label="Waiting for approval"
    >
      {hosts.length > 0 && (
        <>
          <div class="head">
            <div>
              <h2>
                Waiting for approval <span class="muted">{count(total)}</span>
              </h2>
              <p class="help">
                {mayDecide
                  ? "Accept a machine only when these digits are the ones that it shows."
                  : "An admin compares these digits with those that the machine shows."}
              </p>
            </div>
          </div>
          <ul
            class="pending"
            hx-select="#accept"
            hx-target="#accept-place"
            hx-swap="innerHTML show:top"
          >
            {hosts.map((host) => <PendingRow host={host} now={now} mayDecide={mayDecide} />)}
          </ul>
        </>
      )}
      {!isWhole && (total > hosts.length || rejected > 0) && (
        <p class="small pending-more">
          <a href="/pending-hosts">{more(total - hosts.length, rejected)}</a>
        </p>
      )}
    </section>
  );
}

function PendingRow(
  { host, now, mayDecide }: { host: PendingHostView; now: number; mayDecide: boolean },
) {
  const name = middleCut(host.hostname, 48);
  return (
    <li>
      <Fingerprint fingerprint={host.fingerprint} />
      <div class="who">
        <p class="pending-name" title={titleOf(host.hostname, 48)}>
          <Name text={name} />
        </p>
        <p class="muted small">
          <Name text={middleCut(`${host.os} ${host.arch}`, 40)} /> ·{" "}
          <Name text={host.announced_from_ip} /> · asked <Time at={host.first_seen_at} now={now} />
        </p>
        <p class="muted small">
          <Name text={versions(host)} />
        </p>
      </div>
      <div class="pending-state">
        <KeyState host={host} />
        <Warnings host={host} />
      </div>
      {mayDecide && <Decide id={host.id} name={name} />}
    </li>
  );
}

function Decide({ id, name }: { id: string; name: string }) {
  return (
    <div class="actions">
      <a
        class="button slim"
        href={`/pending-hosts/${id}`}
        hx-get={`/pending-hosts/${id}`}
        aria-label={`Accept ${name}`}
      >
        Accept…
      </a>
      <details class="confirm">
        <summary class="button slim" aria-label={`Reject ${name}`}>Reject…</summary>
        <div class="confirm-in">
          <p>It is sent away and may not ask again for a day, unless an admin allows it.</p>
          <PostButton
            to={`/pending-hosts/${id}/reject`}
            label="Reject this machine"
            kind="danger"
          />
        </div>
      </details>
    </div>
  );
}

/** What speaks against taking the machine for what it says it is, and the line for safe. */
export function Warnings({ host }: { host: PendingHostView }) {
  return (
    <>
      {host.hostname_collision && (
        <StateWord state="warn" word="this name is taken; trust the digits alone" />
      )}
      {host.looks_like !== null && (
        <StateWord
          state="bad"
          word={`this name looks like ${visible(middleCut(host.looks_like, 48))}${spelt(host)}`}
        />
      )}
      {host.name_warning !== null && (
        <StateWord state="bad" word={`this name ${visible(middleCut(host.name_warning, 160))}`} />
      )}
      {host.plain_http && (
        <StateWord
          state="warn"
          word="plain HTTP: the line can be read and changed, and its credential with it"
        />
      )}
    </>
  );
}

function spelt({ hostname }: PendingHostView): string {
  const strange = codePoints(hostname);
  return strange ? ` and is written with other characters (${strange})` : " and is another";
}

function versions({ agent_version, restic_version }: PendingHostView): string {
  const restic = restic_version ? `restic ${middleCut(restic_version, 24)}` : "no restic";
  return `agent ${middleCut(agent_version, 24)} · ${restic}`;
}

function KeyState({ host }: { host: PendingHostView }) {
  if (host.connected) return <StateWord state="ok" word="key proven, connected now" />;
  if (host.proven_at !== null) {
    return <StateWord state="off" word="key proven, not connected now" />;
  }
  return <StateWord state="off" word="key not proven yet" />;
}

function more(waiting: number, rejected: number): string {
  return [
    waiting > 0 && plural(waiting, "more machine waits", "more machines wait"),
    rejected > 0 && `${plural(rejected, "machine")} rejected within the last day`,
  ].filter(Boolean).join(", ");
}
