// How many downloads are open: of each user, of each machine that reads, and in all.
import { AppError } from "../errors.ts";
import type { DownloadSettings } from "../settings.ts";

/** An agent runs four streams at once: folders that people look at have the others. */
const PER_READER = 2;
const RETRY_SECONDS = 30;

type Limits = Pick<DownloadSettings, "perUser" | "inAll">;

export class OpenDownloads {
  readonly #open = new Set<{ userId: string; readerId: string }>();

  constructor(private readonly limits: Limits) {}

  get count(): number {
    return this.#open.size;
  }

  /** Counts one more; call what is returned when it has ended. Throws too_many. */
  open(userId: string, reader: { id: string; name: string }): () => void {
    const { perUser, inAll } = this.limits;
    const all = [...this.#open];
    if (all.filter((each) => each.userId === userId).length >= perUser) {
      throw tooMany(
        `You have ${perUser} downloads open already (RM_DOWNLOADS_PER_USER): let one end.`,
      );
    }
    if (all.length >= inAll) {
      throw tooMany(
        `${inAll} downloads are open on this server already (RM_DOWNLOADS_IN_ALL): let one end.`,
      );
    }
    if (all.filter((each) => each.readerId === reader.id).length >= PER_READER) {
      throw tooMany(`${reader.name} sends ${PER_READER} downloads already: let one end.`);
    }
    const own = { userId, readerId: reader.id };
    this.#open.add(own);
    return () => this.#open.delete(own);
  }
}

function tooMany(sentence: string): AppError {
  const error = new AppError("too_many", sentence);
  error.retryAfter = RETRY_SECONDS;
  return error;
}
