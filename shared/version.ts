/** The version of both programs. */
export const VERSION = "0.1.0";

/** What this program was made of. deploy/build.ts puts the commit and its date here. */
export const BUILD = "from source";

/** What `version` prints. */
export function versionLine(program: string): string {
  return `${program} ${VERSION} (${BUILD})`;
}
