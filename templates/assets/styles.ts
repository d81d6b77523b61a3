// The style sheet: a folder for each cascade layer, joined to one file so that a page waits for one request. A later layer
// wins over an earlier one whatever the selectors are; within a layer the order of the files counts.
import baseFonts from "./css/base/fonts.css" with { type: "text" };
import baseTokens from "./css/base/tokens.css" with { type: "text" };
import baseGround from "./css/base/ground.css" with { type: "text" };
import baseLayout from "./css/base/layout.css" with { type: "text" };
import baseButtons from "./css/base/buttons.css" with { type: "text" };
import baseInputs from "./css/base/inputs.css" with { type: "text" };
import partsStates from "./css/parts/states.css" with { type: "text" };
import partsChoice from "./css/parts/choice.css" with { type: "text" };
import partsFields from "./css/parts/fields.css" with { type: "text" };
import partsForms from "./css/parts/forms.css" with { type: "text" };
import partsDetails from "./css/parts/details.css" with { type: "text" };
import partsCopyable from "./css/parts/copyable.css" with { type: "text" };
import partsTables from "./css/parts/tables.css" with { type: "text" };
import partsFold from "./css/parts/fold.css" with { type: "text" };
import partsFilters from "./css/parts/filters.css" with { type: "text" };
import partsFacts from "./css/parts/facts.css" with { type: "text" };
import partsTabs from "./css/parts/tabs.css" with { type: "text" };
import partsNotices from "./css/parts/notices.css" with { type: "text" };
import partsProgress from "./css/parts/progress.css" with { type: "text" };
import frameBar from "./css/frame/bar.css" with { type: "text" };
import frameMenu from "./css/frame/menu.css" with { type: "text" };
import frameKeys from "./css/frame/keys.css" with { type: "text" };
import pagesHosts from "./css/pages/hosts.css" with { type: "text" };
import pagesAttention from "./css/pages/attention.css" with { type: "text" };
import pagesPending from "./css/pages/pending.css" with { type: "text" };
import pagesLists from "./css/pages/lists.css" with { type: "text" };
import pagesAccount from "./css/pages/account.css" with { type: "text" };
import pagesHost from "./css/pages/host.css" with { type: "text" };
import pagesJob from "./css/pages/job.css" with { type: "text" };
import pagesLog from "./css/pages/log.css" with { type: "text" };

const LAYERS: [name: string, files: string[]][] = [
  ["base", [baseFonts, baseTokens, baseGround, baseLayout, baseButtons, baseInputs]],
  ["parts", [
    partsStates,
    partsChoice,
    partsFields,
    partsForms,
    partsDetails,
    partsCopyable,
    partsTables,
    partsFold,
    partsFilters,
    partsFacts,
    partsTabs,
    partsNotices,
    partsProgress,
  ]],
  ["frame", [frameBar, frameMenu, frameKeys]],
  ["pages", [
    pagesHosts,
    pagesAttention,
    pagesPending,
    pagesLists,
    pagesAccount,
    pagesHost,
    pagesJob,
    pagesLog,
  ]],
];

/** Returns the whole style sheet. Fonts are named relatively to its own address. */
export function styleSheet(): string {
  const order = `@layer ${LAYERS.map(([name]) => name).join(", ")};\n`;
  return order + LAYERS.map(([name, files]) => `@layer ${name} {\n${files.join("")}}\n`).join("");
}
