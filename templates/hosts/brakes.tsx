// What the owner of the machine allows, as its agent reports it. It is shown so that a refused order surprises nobody.
import { middleCut, plural } from "../format.ts";
import { Name } from "../parts/name.tsx";
import type { Brakes as HostBrakes } from "../../shared/protocol.ts";

/** One line: "The machine's owner allows no hooks, 2 folders." */
export function brakesInShort(brakes: HostBrakes): string {
  const parts = [
    !brakes.allow_hooks && "no hooks",
    !brakes.allow_restore_in_place && "no restore in place",
    brakes.roots && `only ${plural(brakes.roots.length, "folder")}`,
    brakes.repositories &&
    `only ${plural(brakes.repositories.length, "repository address", "repository addresses")}`,
  ].filter(Boolean);
  return `The machine's owner allows ${parts.join(", ")}.`;
}

export function Brakes({ brakes }: { brakes: HostBrakes | null }) {
  return (
    <section class="section stack narrow" aria-labelledby="brakes-title">
      <h2 id="brakes-title">What the machine's owner allows</h2>
      <p class="help">
        Set on the machine, in agent.yaml; nothing here changes it. This is what its agent says, and
        orders beyond it fail as refused by the machine.
      </p>
      {brakes === null ? <p>Everything that is ordered here.</p> : (
        <dl class="facts">
          <Fact name="Hooks" value={brakes.allow_hooks ? "allowed" : "refused"} />
          <Fact
            name="Restore in place"
            value={brakes.allow_restore_in_place ? "allowed" : "refused"}
          />
          <List name="Folders" values={brakes.roots} />
          <List name="Repositories" values={brakes.repositories} />
        </dl>
      )}
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function List({ name, values }: { name: string; values: string[] | null }) {
  if (values === null || values.length === 0) {
    return <Fact name={name} value={values === null ? "all" : "none"} />;
  }
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {values.map((value) => (
          <div>
            <code>
              <Name text={middleCut(value, 80)} />
            </code>
          </div>
        ))}
      </dd>
    </div>
  );
}
