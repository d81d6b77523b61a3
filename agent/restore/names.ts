// Names that a file system cannot hold: restic writes over one file with another where only the case of letters differs, and Windows puts
// a name with a colon into a stream that nobody sees. Both end without an error.
import type { NameJudge } from "./expected.ts";

/** Microsoft, "Naming Files, Paths, and Namespaces". */
const UNHOLDABLE = /[<>:"|?*\\\p{Cc}]|[. ]$/u;
const RESERVED = /^(con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³]|conin\$|conout\$)(\.|$)/i;
const DRIVE = /^\/[A-Za-z]$/;

/** For a file system that holds whatever Linux does. */
export const ANY_NAME: NameJudge = () => undefined;

interface FileSystem {
  isWindows: boolean;
  /** Two names that differ in case alone are one. */
  isBlind: boolean;
  /** Where below the target an entry comes to lie. */
  below: (path: string) => string;
}

export function judgeOf({ isWindows, isBlind, below }: FileSystem): NameJudge {
  const folders = new Folders();
  return (path) => {
    const place = below(path);
    const name = place.slice(place.lastIndexOf("/") + 1);
    if (isWindows && !DRIVE.test(place) && (UNHOLDABLE.test(name) || RESERVED.test(name))) {
      return "Windows cannot hold this name";
    }
    const other = isBlind ? folders.twinOf(place) : undefined;
    return other === undefined
      ? undefined
      : `the target takes it for ${other}, which differs only in the case of letters`;
  };
}

/**
 * The names in each folder, folded. All folders are kept, since a listing of several items comes back to one; of their files only those of
 * the folders on the way to the last one.
 */
class Folders {
  /** A folder's folded path → as it is. */
  readonly #spelled = new Map<string, string>();
  readonly #files: { folder: string; names: Map<string, string> }[] = [];

  /** What the target would take it for. */
  twinOf(path: string): string | undefined {
    const at = path.lastIndexOf("/");
    return this.#folderTwin(path.slice(0, at)) ??
      this.#fileTwin(path.slice(0, at), path.slice(at + 1));
  }

  #folderTwin(folder: string): string | undefined {
    for (let at = folder.indexOf("/", 1); folder !== ""; at = folder.indexOf("/", at + 1)) {
      const above = at < 0 ? folder : folder.slice(0, at);
      const folded = above.toUpperCase();
      const spelled = this.#spelled.get(folded);
      if (spelled === undefined) this.#spelled.set(folded, above);
      else if (spelled !== above) return spelled;
      if (at < 0) return undefined;
    }
    return undefined;
  }

  #fileTwin(folder: string, name: string): string | undefined {
    while (this.#files.length > 0 && !isOnTheWay(this.#files.at(-1)!.folder, folder)) {
      this.#files.pop();
    }
    if (this.#files.at(-1)?.folder !== folder) this.#files.push({ folder, names: new Map() });
    const { names } = this.#files.at(-1)!;
    const folded = name.toUpperCase();
    const other = names.get(folded);
    names.set(folded, other ?? name);
    return other === undefined || other === name ? undefined : other;
  }
}

function isOnTheWay(above: string, folder: string): boolean {
  return above === folder || folder.startsWith(`${above}/`);
}
