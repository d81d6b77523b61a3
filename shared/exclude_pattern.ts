// Which exclude patterns restic can read. It refuses the whole backup for one that it cannot ("invalid pattern(s)
// provided"). The syntax is that of Go's filepath.Match, part by part between slashes (restic's manual, "Excluding files").

/** Whether restic on that system can read the pattern. */
export function isExcludePattern(pattern: string, os: string): boolean {
  const text = pattern.startsWith("!") ? pattern.slice(1) : pattern;
  if (text === "") return false;
  const separators = os === "windows" ? /[\\/]/ : /\//;
  return text.split(separators).every((part) => isReadable(part, os !== "windows"));
}

function isReadable(part: string, hasEscapes: boolean): boolean {
  const characters = [...part];
  for (let at = 0; at < characters.length; at++) {
    if (characters[at] === "\\" && hasEscapes) {
      if (++at >= characters.length) return false;
    } else if (characters[at] === "[") {
      const end = endOfClass(characters, at + 1, hasEscapes);
      if (end === undefined) return false;
      at = end;
    }
  }
  return true;
}

/** Where the class ends that begins before `at`, or undefined when it is none: "[]", "[a", "[-z]", "[a-]". */
function endOfClass(characters: string[], at: number, hasEscapes: boolean): number | undefined {
  if (characters[at] === "^") at++;
  for (let ranges = 0;; ranges++) {
    if (characters[at] === "]" && ranges > 0) return at;
    const low = endOfCharacter(characters, at, hasEscapes);
    if (low === undefined) return undefined;
    at = low;
    if (characters[at] !== "-") continue;
    const high = endOfCharacter(characters, at + 1, hasEscapes);
    if (high === undefined) return undefined;
    at = high;
  }
}

function endOfCharacter(
  characters: string[],
  at: number,
  hasEscapes: boolean,
): number | undefined {
  const first = characters[at];
  if (first === undefined || first === "-" || first === "]") return undefined;
  const end = first === "\\" && hasEscapes ? at + 2 : at + 1;
  // Something must follow: at least the bracket that closes the class.
  return end < characters.length ? end : undefined;
}

/**
 * Whether an absolute pattern lies beside all of these folders, so that it can match nothing in them. One that is not
 * absolute may match anywhere.
 */
export function liesBeside(pattern: string, includes: string[], os: string): boolean {
  const parts = partsOf(pattern, os);
  if (!parts) return false;
  return includes.every((include) => {
    const folder = partsOf(include, os) ?? [];
    const common = Math.min(parts.length, folder.length);
    const wild = parts.indexOf("**");
    const compared = wild < 0 ? common : Math.min(common, wild);
    return parts.slice(0, compared).some((part, n) => !/[*?[\\]/.test(part) && part !== folder[n]);
  });
}

/** Whether a path is one of the folders or lies in one. */
export function liesIn(path: string, folders: string[], os: string): boolean {
  const parts = partsOf(path, os);
  return parts !== undefined && folders.some((folder) => {
    const outer = partsOf(folder, os);
    return outer !== undefined && outer.every((part, n) => part === parts[n]);
  });
}

/** undefined for what is not absolute. */
function partsOf(path: string, os: string): string[] | undefined {
  const windows = os === "windows";
  const text = windows ? path.replaceAll("\\", "/").toLowerCase() : path;
  if (!text.startsWith("/") && !(windows && /^[a-z]:\//.test(text))) return undefined;
  return text.split("/").filter((part) => part !== "" && part !== ".");
}
