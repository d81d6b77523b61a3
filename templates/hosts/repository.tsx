// The repository as this host sees it: is it open, how is it reached, what can be done to it.
import { visible } from "../../shared/redact.ts";
import { plural } from "../format.ts";
import { PostButton } from "../parts/csrf.tsx";
import { Name } from "../parts/name.tsx";
import { RepositoryFacts, type RepositoryView } from "../repositories/page.tsx";
import { HostFrame, type HostFrameProps, RepositoryLine } from "./frame.tsx";

export interface HostRepositoryProps extends HostFrameProps {
  repository: RepositoryView;
}

export function HostRepositoryPage(props: HostRepositoryProps) {
  const { host, repository, mayRun, frame } = props;
  const others = repository.hosts.filter(({ id }) => id !== host.id);
  const more = repository.hostCount - 1 - Math.min(5, others.length);
  return (
    <HostFrame {...props} tab="repository">
      <div class="head">
        <h2>
          <a href={`/repositories/${repository.id}`}>
            <Name text={repository.name} />
          </a>
        </h2>
        {mayRun && <a class="button" href={`/repositories/${repository.id}/edit`}>Change…</a>}
      </div>
      <HostRepositoryState {...props} now={frame.now} />
      <RepositoryFacts repository={repository} now={frame.now} />
      <p class="section muted">
        {others.length === 0 ? "No other host uses it." : (
          <>
            Shared with {others.slice(0, 5).map((other, i) => (
              <>
                {i > 0 && ", "}
                <a href={`/hosts/${other.id}`}>
                  <Name text={other.name} />
                </a>
              </>
            ))}
            {more > 0 && ` and ${plural(more, "more host")}`}.
          </>
        )}
      </p>
      {mayRun && <Actions {...props} />}
    </HostFrame>
  );
}

/** Live fragment `host-repository`. */
export function HostRepositoryState(
  { host, now, mayRun }: Omit<HostRepositoryProps, "frame" | "repository"> & { now: number },
) {
  return (
    <div id="host-repository" class="repository-state" data-shifts>
      <p>
        From this host: <RepositoryLine host={host} now={now} mayRun={mayRun} />
      </p>
      {host.repository.state === "failed" && host.repository.reason && (
        <p class="problems">
          <bdi>{visible(host.repository.reason)}</bdi>
        </p>
      )}
    </div>
  );
}

function Actions({ host }: HostRepositoryProps) {
  const to = `/hosts/${host.id}/jobs`;
  if (!host.isOnline) {
    return <p class="muted small">What follows needs the host online: open, measure, unlock.</p>;
  }
  return (
    <ul class="rows section">
      <li>
        <span>
          Open it again{" "}
          <span class="help">Makes it where it may, opens it, and checks the password.</span>
        </span>
        <PostButton to={to} name="kind" value="init" label="Open repository" />
      </li>
      <li>
        <span>
          Measure its size <span class="help">Only reads; may take minutes for a large one.</span>
        </span>
        <PostButton to={to} name="kind" value="stats" label="Measure size" />
      </li>
      <li>
        <span>
          Remove stale locks{" "}
          <span class="help">
            For runs that ended without cleaning up. Locks of runs that still live are left alone.
          </span>
        </span>
        <PostButton to={to} name="kind" value="unlock" label="Unlock" />
      </li>
    </ul>
  );
}
