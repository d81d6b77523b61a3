import { fingerprintGroups } from "../../shared/announce.ts";
import { Copyable } from "../parts/copyable.tsx";

/** The digits in two lines of eight groups, exactly as they stand on the machine (agent/banner.ts). */
export function Fingerprint({ fingerprint }: { fingerprint: string }) {
  const groups = fingerprintGroups(fingerprint);
  const line = (from: number) =>
    `${groups.slice(from, from + 4).join(" ")}  ${groups.slice(from + 4, from + 8).join(" ")}`;
  return (
    <code class="fingerprint">
      <span class="off-screen">SHA256:</span>
      <span>{line(0)}</span>
      <span>{line(8)}</span>
    </code>
  );
}

/** In one piece, to be compared by a program. */
export function WholeFingerprint({ fingerprint }: { fingerprint: string }) {
  return <Copyable text={fingerprint} what="the fingerprint" />;
}
