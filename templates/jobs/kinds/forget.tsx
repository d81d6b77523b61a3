import { count } from "../../format.ts";
import { Name } from "../../parts/name.tsx";
import type { JobView } from "../view.ts";
import { ofRepository, type PageKind } from "./kind.ts";

export const forget: PageKind = {
  word: "retention",
  title: ofRepository("Retention in repository"),
  preposition: "from",
  succeeded: ({ isDryRun }) =>
    isDryRun ? "Nothing was removed: this only shows what the policy would do." : "Done.",
  Result: Forgotten,
};

function Forgotten({ job: { forgotten, isDryRun } }: { job: JobView }) {
  if (!forgotten) return null;
  return (
    <table class="table fold">
      <thead>
        <tr>
          <th scope="col">Source group</th>
          <th scope="col">Host</th>
          <th scope="col" class="num">{isDryRun ? "Would keep" : "Kept"}</th>
          <th scope="col" class="num">{isDryRun ? "Would remove" : "Removed"}</th>
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
