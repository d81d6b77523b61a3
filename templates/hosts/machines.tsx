// Two machines with one identity, and an admin's word which one is right.
import { Csrf } from "../parts/csrf.tsx";
import { Name } from "../parts/name.tsx";
import { StateWord } from "../parts/state.tsx";
import { Time } from "../parts/time.tsx";
import type { HostInstance } from "../../shared/shapes/host.ts";

export function Machines(
  { machines, hostId, csrf, now, mayChoose }: {
    machines: HostInstance[];
    hostId: string;
    csrf: string;
    now: number;
    mayChoose: boolean;
  },
) {
  if (machines.length === 0) return null;
  return (
    <section class="flash bad stack" id="machines" aria-labelledby="machines-title">
      <h2 id="machines-title">Two machines use this host's identity</h2>
      <p>
        One is a clone of the other, or someone started a copy of its agent's files. Both go on with
        the plan that they have; neither gets anything new until{" "}
        {mayChoose ? "you say" : "an admin says"}{" "}
        which one is right. That one gets a new credential, the other is cut off for good. If you
        know neither, join the machine again instead.
      </p>
      <ul class="rows">
        {machines.map((machine) => (
          <li>
            <span>
              <b>
                <Name text={machine.hostname} />
              </b>{" "}
              <span class="muted">
                <Name text={`${machine.os} ${machine.arch}, agent ${machine.agent_version}`} />
                {machine.address && <>, from {machine.address}</>}
                {machine.boot_time !== null && (
                  <>
                    , started <Time at={machine.boot_time} now={now} />
                  </>
                )}
                , first heard <Time at={machine.first_seen_at} now={now} />, last{" "}
                <Time at={machine.last_seen_at} now={now} />
              </span>{" "}
              {machine.connected && <StateWord state="run" word="connected" />}
            </span>
            {mayChoose && (
              <form method="post" action={`/hosts/${hostId}/machines`}>
                <Csrf token={csrf} />
                <button type="submit" name="instance_id" value={machine.id}>
                  This one is right
                </button>
              </form>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
