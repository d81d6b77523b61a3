/**
 * A file that a command of root's has just made in the data folder goes to whom the folder belongs, or the server's own user could
 * not open it. SQLite does the same for its own files.
 */
export async function giveToOwnerOf(folder: string, path: string): Promise<void> {
  const [{ uid, gid }, file] = [await Deno.stat(folder), await Deno.stat(path)];
  if (uid !== null && gid !== null && uid !== file.uid) await Deno.chown(path, uid, gid);
}
