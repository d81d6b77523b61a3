// Whether a path lies below one of several folders, by its text alone: what links do to it only the machine itself knows.
import { posix, win32 } from "node:path";

/** One spelling per place: no `.`, `..`, double or trailing slash; on Windows one case, one slash, no \\?\ prefix. */
export function plainPath(path: string, os: string): string {
  if (os !== "windows") return posix.resolve("/", path);
  const bare = path.replaceAll("/", "\\").replace(/^\\\\[?.]\\UNC\\/i, "\\\\")
    .replace(/^\\\\[?.]\\(?=[A-Za-z]:)/, "");
  // Other letters than ASCII's fold differently in each file system: in another case they are another place.
  const plain = win32.normalize(bare).replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  return plain.length > 3 ? plain.replace(/\\+$/, "") : plain;
}

/** True for a root itself too. */
export function isBelow(path: string, roots: readonly string[], os: string): boolean {
  // Windows drops dots and blanks at the end of a name, so that what is written is not what is opened.
  if (os === "windows" && /(^|[\\/])(?!\.{1,2}([\\/]|$))[^\\/]*[. ]([\\/]|$)/.test(path)) {
    return false;
  }
  const place = plainPath(path, os);
  const slash = os === "windows" ? "\\" : "/";
  return roots.some((each) => {
    const root = plainPath(each, os);
    return place === root || place.startsWith(root.endsWith(slash) ? root : root + slash);
  });
}
