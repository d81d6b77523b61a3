// What a file of a snapshot holds: a text, or an image from an address of its own.
import { visible } from "../../shared/redact.ts";
import type { TreeReader } from "../../shared/shapes/tree.ts";
import { bytes, middleCut } from "../format.ts";
import { type FrameProps, Layout } from "../layout.tsx";
import { Empty } from "../parts/empty.tsx";
import { Name } from "../parts/name.tsx";
import { At } from "../parts/time.tsx";
import { fileLink } from "./link.ts";

export type PreviewState =
  | {
    state: "ready";
    reader: TreeReader;
    size: number;
    shown:
      | { kind: "image" }
      | { kind: "text"; text: string; encoding: string }
      | { kind: "binary" }
      /** Larger than what is shown. */
      | { kind: "large"; limit: number };
  }
  | { state: "waiting"; reader: TreeReader }
  | { state: "failed"; title: string; sentence: string };

export interface PreviewPageProps {
  frame: FrameProps;
  snapshot: { id: string; time: number; repository_id: string; repository_name: string };
  path: string;
  name: string;
  /** The page of the folder that it is in. */
  folder: string;
  preview: PreviewState;
}

export function PreviewPage(props: PreviewPageProps) {
  const { frame, snapshot, path, name, folder, preview } = props;
  const isWaiting = preview.state === "waiting";
  return (
    <Layout
      {...frame}
      title={middleCut(name, 60)}
      current="hosts"
      live={isWaiting ? `/live${fileLink("preview", snapshot, { path })}` : undefined}
      refreshSeconds={isWaiting ? 3 : undefined}
    >
      <p class="crumbs">
        <a href={folder}>Snapshot {snapshot.id.slice(0, 8)}</a>
      </p>
      <div class="head">
        <h1>
          <Name text={middleCut(name, 80)} />
        </h1>
        <a
          class="button"
          href={fileLink("download", snapshot, { path, format: "raw" })}
          download
        >
          Download
        </a>
      </div>
      <p class="muted">
        As it was in the snapshot of <At at={snapshot.time} />
        {preview.state === "ready" && `, ${bytes(preview.size)}`}. It passes this server to be
        shown, and is in its audit.
      </p>
      <Content {...props} />
    </Layout>
  );
}

function Content({ snapshot, path, name, preview }: PreviewPageProps) {
  const download = fileLink("download", snapshot, { path, format: "raw" });
  switch (preview.state) {
    case "waiting":
      return (
        <div class="empty" role="status">
          <h2>Reading the file…</h2>
          <p class="muted">
            <Name text={middleCut(preview.reader.name, 60)} /> asks its repository{" "}
            <Name text={middleCut(snapshot.repository_name, 80)} />, which mostly takes two seconds.
            The page shows the file as soon as it is there; you may leave it.
          </p>
          <p class="no-scripts">
            <a href={fileLink("preview", snapshot, { path })}>Look again</a>
          </p>
        </div>
      );
    case "failed":
      return (
        <Empty
          title={preview.title}
          action={{ href: fileLink("preview", snapshot, { path }), label: "Try again" }}
        >
          {visible(preview.sentence)}
        </Empty>
      );
    case "ready":
      break;
    default:
      return preview satisfies never;
  }
  const { shown } = preview;
  switch (shown.kind) {
    case "image":
      return (
        <p class="preview">
          <img
            src={fileLink("preview/image", snapshot, { path })}
            alt={`The image ${visible(middleCut(name, 80))}`}
          />
        </p>
      );
    case "text":
      return <Text {...shown} />;
    case "binary":
      return (
        <Empty title="It is no text" action={{ href: download, label: "Download it" }}>
          It is neither a text nor an image that can be shown safely.
        </Empty>
      );
    case "large":
      return (
        <Empty
          title="It is too large to be shown"
          action={{ href: download, label: "Download it" }}
        >
          Files of up to {bytes(shown.limit)} are shown.
        </Empty>
      );
    default:
      return shown satisfies never;
  }
}

function Text({ text, encoding }: { text: string; encoding: string }) {
  if (text === "") return <Empty title="The file is empty">It has no bytes.</Empty>;
  return (
    <>
      {encoding === "utf-8" && text.includes("\ufffd") && (
        <p class="warn">
          Not all of it is UTF-8: � stands for what is not. The download has the bytes.
        </p>
      )}
      {/* Tabs and line ends act as such; all else that would act is shown as a mark. */}
      <pre class="preview" tabindex={0} dir="ltr" aria-label="What the file holds">
        {`\n${visible(text.replaceAll("\r\n", "\n"))}`}
      </pre>
    </>
  );
}
