import { count } from "../../format.ts";
import { Name } from "../../parts/name.tsx";
import { placesOf } from "../places.ts";
import type { EndedJob, JobView, NextStep } from "../view.ts";
import { ofRepository, type PageKind } from "./kind.ts";

export const forget: PageKind = {
  word: "retention",
  title: ofRepository("Retention in repository"),
  preposition: "from",
  succeeded: ({ dry_run }) =>
    dry_run ? "Nothing was removed: this only shows what the policy would do." : "Done.",
  Result: Forgotten,
  nextStep,
};

function nextStep(job: EndedJob): NextStep | null {
  const { repository } = placesOf(job);
  switch (job.reason_code) {
    case "would_drop_most":
      return {
        sentence:
          "Look at what it would remove on the source group's page. If that is meant, an admin runs it with consent.",
        kind: "forget",
        to: `${repository}/jobs?may_drop_most=true`,
        isForAdmins: true,
        label: "Run it anyway",
      };
    case "list_changed":
    case "not_ours":
      return {
        sentence: "The server has the repository's new list now. Run it again.",
        kind: "forget",
        to: `${repository}/jobs`,
        label: "Run again",
      };
    default:
      return null;
  }
}

function Forgotten({ job: { forgotten, dry_run } }: { job: JobView }) {
  if (!forgotten) return null;
  return (
    <table class="table fold">
      <thead>
        <tr>
          <th scope="col">Source group</th>
          <th scope="col">Host</th>
          <th scope="col" class="num">{dry_run ? "Would keep" : "Kept"}</th>
          <th scope="col" class="num">{dry_run ? "Would remove" : "Removed"}</th>
        </tr>
      </thead>
      <tbody>
        {forgotten.map((each) => (
          <tr>
            <td class="first">
              <Name text={each.tag} />
            </td>
            <td>
              <Name text={each.host} />
            </td>
            <td class="num">{count(each.keep)}</td>
            <td class="num">{count(each.remove)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
