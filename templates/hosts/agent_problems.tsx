import { PostButton } from "../parts/csrf.tsx";
import { Name } from "../parts/name.tsx";
import { At } from "../parts/time.tsx";
import type { HostProblem } from "../../shared/shapes/host.ts";

/** What the host's agent says is wrong with itself, in the live fragment `host-head`. */
export function AgentProblems(
  { hostId, problems, mayDismiss }: {
    hostId: string;
    problems: Pick<HostProblem, "text" | "received_at">[];
    mayDismiss: boolean;
  },
) {
  if (problems.length === 0) return null;
  return (
    <div class="flash warn">
      <p>Its agent reports:</p>
      <ul>
        {problems.map(({ text, received_at }) => (
          <li>
            <Name text={text} /> (<At at={received_at} />)
          </li>
        ))}
      </ul>
      {mayDismiss && (
        <PostButton
          to={`/hosts/${hostId}/problems/dismiss`}
          label="Dismiss"
          describe="Dismiss what the agent reports of damaged files"
        />
      )}
    </div>
  );
}
