import { JobPager, JobTable } from "../jobs/list.tsx";
import type { JobRowData } from "../jobs/view.ts";
import { Empty } from "../parts/empty.tsx";
import { HostFrame, type HostFrameProps } from "./frame.tsx";

export interface HostJobsProps extends HostFrameProps {
  jobs: JobRowData[];
  nextCursor: string | null;
  isFirstPage: boolean;
}

export function HostJobsPage(props: HostJobsProps) {
  const { host, jobs, frame } = props;
  return (
    <HostFrame {...props} tab="jobs">
      {jobs.length === 0
        ? (
          <Empty title="No jobs yet">
            Every backup and every look at the repository is a job, and stays here with its log.
          </Empty>
        )
        : <JobTable jobs={jobs} now={frame.now} isOfHost />}
      <JobPager {...props} filter={{}} base={`/hosts/${host.id}/jobs`} />
    </HostFrame>
  );
}
