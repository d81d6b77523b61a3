import type { Repository } from "../../shared/shapes/repository.ts";
import { bytes, middleCut, plural } from "../format.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { Empty } from "../parts/empty.tsx";
import { Name, titleOf } from "../parts/name.tsx";
import { Pager } from "../parts/pager.tsx";
import { StateWord } from "../parts/state.tsx";
import { Time } from "../parts/time.tsx";

type ListedRepository = Pick<
  Repository,
  "id" | "name" | "url" | "initialised_at" | "append_only" | "hosts" | "total_size" | "stats_at"
>;

export interface RepositoryListProps {
  frame: FrameProps;
  repositories: ListedRepository[];
  nextCursor: string | null;
  isFirstPage: boolean;
  mayAdd: boolean;
}

export function RepositoryListPage(props: RepositoryListProps) {
  const { frame, repositories, mayAdd, nextCursor, isFirstPage } = props;
  return (
    <Layout {...frame} title="Repositories" current="repositories">
      <div class="head">
        <h1>Repositories</h1>
        {mayAdd && repositories.length > 0 && (
          <a class="button primary" href="/repositories/new">Add repository</a>
        )}
      </div>
      {repositories.length === 0
        ? (
          <Empty
            title="No repositories yet"
            action={mayAdd ? { href: "/repositories/new", label: "Add repository" } : undefined}
          >
            A repository is where snapshots go: an address and a password. You can make one here, or
            together with the first host; several hosts may share one.
          </Empty>
        )
        : (
          <table class="table fixed fold repositories">
            <thead>
              <tr>
                <th class="r-name" scope="col">Name</th>
                <th scope="col">Address</th>
                <th class="r-state" scope="col">State</th>
                <th class="r-n num" scope="col">Hosts</th>
                <th class="r-size num" scope="col">Size</th>
              </tr>
            </thead>
            <tbody>
              {repositories.map((repository) => (
                <RepositoryRow repository={repository} now={frame.now} />
              ))}
            </tbody>
          </table>
        )}
      <Pager
        previous={isFirstPage ? undefined : "/repositories"}
        previousLabel="First"
        next={nextCursor ? `/repositories?cursor=${encodeURIComponent(nextCursor)}` : undefined}
      />
    </Layout>
  );
}

function RepositoryRow({ repository: r, now }: { repository: ListedRepository; now: number }) {
  return (
    <tr>
      <td class="first">
        <a href={`/repositories/${r.id}`} title={titleOf(r.name)}>
          <Name text={middleCut(r.name, 60)} />
        </a>
      </td>
      <td class="mono" title={titleOf(r.url)}>
        <Name text={middleCut(r.url, 80)} />
      </td>
      <td>
        {r.initialised_at === null
          ? <StateWord state="off" word="not opened yet" />
          : <StateWord state="ok" word={r.append_only ? "ready, append-only" : "ready"} />}
      </td>
      <td class="num side">{plural(r.hosts.length, "host")}</td>
      <td class="num side">
        {r.total_size === null ? "—" : (
          <>
            {bytes(r.total_size)} {r.stats_at !== null && (
              <span class="off-screen">
                measured <Time at={r.stats_at} now={now} />
              </span>
            )}
          </>
        )}
      </td>
    </tr>
  );
}
