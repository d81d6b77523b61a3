// Whether a path lies in one of the folders that the machine's owner named, with every link on the way resolved.
import { posix, win32 } from "node:path";

/** What this asks the machine; tests of Windows' paths have another one. */
export interface Machine {
  isWindows: boolean;
  /** Throws Deno.errors.NotFound where there is nothing, a link that leads nowhere included. */
  realPath: (path: string) => string;
  /** Whether there is something of that name, be it a link that leads nowhere. Throws when that cannot be told. */
  isThere: (path: string) => boolean;
}

export const THIS_MACHINE: Machine = {
  isWindows: Deno.build.os === "windows",
  realPath: (path) => Deno.realPathSync(path),
  isThere: (path) => {
    try {
      Deno.lstatSync(path);
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
        return false;
      }
      throw error;
    }
  },
};

export function isAbsoluteHere(path: string): boolean {
  return THIS_MACHINE.isWindows
    ? /^([A-Za-z]:[\\/]|[\\/]{2}[^\\/]+[\\/]+[^\\/])/.test(path)
    : path.startsWith("/");
}

/** Whether the path, as restic would read it, is one of the roots or below one. What cannot be resolved is not. */
export function isWithin(path: string, roots: string[], machine = THIS_MACHINE): boolean {
  const parts = resolved(path, machine);
  return parts !== undefined && roots.some((root) => {
    const above = resolved(root, machine);
    return above !== undefined && above.length <= parts.length &&
      above.every((part, index) => part === parts[index]);
  });
}

/** How long a root may take to say where it lies. A disk that does not answer must not keep the others from being looked at. */
const ROOT_MS = 2000;
/** Roots that have not answered: asked again and again, each question would hold a thread. */
const unanswered = new Set<string>();

/** The same without holding up the event loop: a mount that does not answer may take for ever. */
export async function liesWithin(path: string, roots: string[]): Promise<boolean> {
  const plain = plainPath(path, THIS_MACHINE.isWindows);
  const place = plain && await resolvedPlace(plain).catch(() => undefined);
  return Boolean(place) && await placeLiesWithin(place!, roots);
}

/** Whether a place, in which no link is left, is one of the roots with their links resolved, or below one. */
export async function placeLiesWithin(place: string, roots: string[]): Promise<boolean> {
  const { isWindows } = THIS_MACHINE;
  const parts = partsOf(place, isWindows);
  for (const root of roots) {
    const plain = plainPath(root, isWindows);
    const above = plain && await placeOfRoot(plain);
    if (!above) continue;
    const names = partsOf(above, isWindows);
    if (names.length <= parts.length && names.every((name, n) => name === parts[n])) return true;
  }
  return false;
}

async function placeOfRoot(root: string): Promise<string | undefined> {
  if (unanswered.has(root)) return undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      unanswered.add(root);
      resolve(undefined);
    }, ROOT_MS);
  });
  const asked = resolvedPlace(root).catch(() => undefined).finally(() => unanswered.delete(root));
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Where a path really is; of what is not there yet, the folder that is there counts. Throws where that cannot be told. */
export async function resolvedPlace(path: string): Promise<string> {
  const { dirname, basename, join } = THIS_MACHINE.isWindows ? win32 : posix;
  try {
    await Deno.lstat(path);
  } catch (error) {
    const isNone = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    const isShortName = THIS_MACHINE.isWindows && basename(path).includes("~");
    if (!isNone || isShortName || dirname(path) === path) throw error;
    return join(await resolvedPlace(dirname(path)), basename(path));
  }
  return await Deno.realPath(path);
}

/** The path without what may be written in two ways; undefined where that is not certain. */
export function plainPath(path: string, isWindows: boolean): string | undefined {
  return isWindows ? plainWindows(path) : plainPosix(path);
}

/** The names on the way to what the path really is; undefined when that is not certain. */
function resolved(path: string, machine: Machine): string[] | undefined {
  const plain = plainPath(path, machine.isWindows);
  if (plain === undefined) return undefined;
  try {
    return partsOf(real(plain, machine), machine.isWindows);
  } catch {
    // No rights, a circle of links, a link that leads nowhere: nobody can say where it lies.
    return undefined;
  }
}

/** Of what is not there yet, the folder that is there counts. */
function real(path: string, machine: Machine): string {
  if (machine.isThere(path)) return machine.realPath(path);
  const { dirname, basename, join } = machine.isWindows ? win32 : posix;
  const folder = dirname(path);
  if (folder === path) return path;
  // A short name of Windows (PROGRA~1) for what is not there says nothing.
  if (machine.isWindows && basename(path).includes("~")) throw new Error("a short name");
  return join(real(folder, machine), basename(path));
}

/** The kernel and restic read `link/..` in two ways, so that nobody needs to write it. */
function plainPosix(path: string): string | undefined {
  if (!path.startsWith("/") || path.split("/").includes("..")) return undefined;
  return posix.normalize(path).replace(/(?<=.)\/+$/, "");
}

/**
 * Without the prefixes that switch off what Windows does to a path (`\\?\C:\`, `\\?\UNC\`); devices and volumes by number are no
 * folder that someone named. restic expands * itself: it may be in the last name only, which does not leave the folder.
 */
function plainWindows(path: string): string | undefined {
  const slashed = path.replaceAll("/", "\\");
  const bare = slashed.replace(/^\\\\[?.]\\UNC\\/i, "\\\\")
    .replace(/^\\\\[?.]\\(?=[A-Za-z]:\\)/, "");
  if (/^\\\\[?.]\\/.test(bare) || !/^([A-Za-z]:\\|\\\\[^\\]+\\[^\\])/.test(bare)) return undefined;
  const names = bare.split("\\");
  if (names.some((name) => name.replace(/[. ]+$/, "") === "" && name.startsWith(".."))) {
    return undefined;
  }
  if (names.slice(0, -1).some((name) => /[*?[]/.test(name))) return undefined;
  return win32.normalize(/[*?[]/.test(names.at(-1)!) ? win32.dirname(bare) : bare);
}

function partsOf(path: string, isWindows: boolean): string[] {
  if (!isWindows) return path.split("/").filter(Boolean);
  const plain = plainWindows(path);
  if (plain === undefined) throw new Error("no plain path");
  const isShare = plain.startsWith("\\\\");
  // Windows drops dots and blanks at the end of each name and does not mind the case of letters.
  const parts = plain.split("\\").map((name) => upper(name.replace(/[. ]+$/, ""))).filter(Boolean);
  return isShare ? ["\\\\", ...parts] : parts;
}

/** Letter by letter, as Windows has its table: ß stays what it is. */
function upper(text: string): string {
  return [...text].map((letter) => {
    const big = letter.toUpperCase();
    return big.length === letter.length ? big : letter;
  }).join("");
}
