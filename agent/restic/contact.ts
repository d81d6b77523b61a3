// Whether restic has reached its repository. It prints nothing while it waits (0.18 for 15 minutes) and nothing while it
// loads a large index either; but every version, once it holds the repository's key, touches the repository's folder in
// its cache. So silence at the deadline means trouble only when that folder is unchanged.
import { join } from "node:path";

export interface ContactOptions {
  withinMs: number;
  /** Whether its output shows contact already. */
  sawContact: () => boolean;
  onSilence: () => void;
}

/** Calls `onSilence` when there was no contact in time. Dispose it when restic has ended. */
export function watchForContact(cacheDir: string, options: ContactOptions): Disposable {
  const before = touchedAt(cacheDir);
  const timer = setTimeout(() => {
    if (!options.sawContact() && touchedAt(cacheDir) === before) options.onSilence();
  }, options.withinMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

function touchedAt(cacheDir: string): string {
  try {
    return [...Deno.readDirSync(cacheDir)].filter(({ isDirectory }) => isDirectory)
      .map(({ name }) => `${name} ${Deno.statSync(join(cacheDir, name)).mtime?.getTime()}`)
      .sort().join("\n");
  } catch {
    // No cache folder yet: restic makes it when it has contact.
    return "";
  }
}
