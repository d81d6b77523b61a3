// Names that a file system cannot hold: restic writes over one file with another where only the case of letters differs, and Windows puts
// a name with a colon into a stream that nobody sees. Both end without an error.
import type { NameJudge } from "./expected.ts";

/** Microsoft, "Naming Files, Paths, and Namespaces". */
const UNHOLDABLE = /[<>:"|?*\\\p{Cc}]|[. ]$/u;
const RESERVED = /^(con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³]|conin\$|conout\$)(\.|$)/i;

/** For a file system that holds whatever Linux does. */
export const ANY_NAME: NameJudge = () => undefined;

/** `isBlind`: two names that differ in case alone are one. */
export function judgeOf(
  { isWindows, isBlind }: { isWindows: boolean; isBlind: boolean },
): NameJudge {
  // Folded names of a folder; a listing comes folder by folder, so that those before are done with.
  const seen: { folder: string; names: Map<string, string> }[] = [];
  return (path) => {
    const at = path.lastIndexOf("/");
    const name = path.slice(at + 1);
    // The letter of a drive.
    if (isWindows && at > 0 && (UNHOLDABLE.test(name) || RESERVED.test(name))) {
      return "Windows cannot hold this name";
    }
    if (!isBlind) return undefined;
    const folder = path.slice(0, at);
    while (seen.length > 0 && !isOnTheWay(seen.at(-1)!.folder, folder)) seen.pop();
    if (seen.at(-1)?.folder !== folder) seen.push({ folder, names: new Map() });
    const { names } = seen.at(-1)!;
    const folded = name.toUpperCase();
    const other = names.get(folded);
    names.set(folded, other ?? name);
    return other === undefined || other === name
      ? undefined
      : `the target takes it for ${other}, which differs only in the case of letters`;
  };
}

function isOnTheWay(above: string, folder: string): boolean {
  return above === folder || folder.startsWith(`${above}/`);
}
