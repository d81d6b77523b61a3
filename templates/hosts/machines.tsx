// Two machines with one identity, and an admin's word which one is right.
import { Csrf } from "../parts/csrf.tsx";
import { Name } from "../parts/name.tsx";
import { StateWord } from "../parts/state.tsx";
import { Time } from "../parts/time.tsx";

export interface MachineView {
  id: string;
  hostname: string;
  system: string;
  agentVersion: string;
  address: string | null;
  bootTime: number | null;
  firstSeenAt: number;
  lastSeenAt: number;
  isConnected: boolean;
}

export function Machines(
  { machines, hostId, csrf, now, mayChoose }: {
    machines: MachineView[];
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
        One is a clone of the other, or somebody started a copy of its agent's files. Both go on
        with the plan that they have; neither gets anything new until{" "}
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
                <Name text={`${machine.system}, agent ${machine.agentVersion}`} />
                {machine.address && <>, from {machine.address}</>}
                {machine.bootTime !== null && (
                  <>
                    , started <Time at={machine.bootTime} now={now} />
                  </>
                )}
                , first heard <Time at={machine.firstSeenAt} now={now} />, last{" "}
                <Time at={machine.lastSeenAt} now={now} />
              </span>{" "}
              {machine.isConnected && <StateWord state="run" word="connected" />}
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
