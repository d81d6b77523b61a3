// The one error type of the server: thrown anywhere, answered only in app.ts and agent_api/.

const STATUS = {
  bad_request: 400,
  name_mismatch: 400,
  unauthorized: 401,
  forbidden: 403,
  /** To an agent: an admin said no; it must not ask again. */
  rejected: 403,
  not_found: 404,
  /** The body did not come in time. */
  too_slow: 408,
  conflict: 409,
  too_large: 413,
  invalid: 422,
  /** To an agent: only a newer one can be served. */
  agent_too_old: 422,
  too_many: 429,
  /** A host's agent gave an answer that is none, or none that helps. */
  agent_failed: 502,
  agent_offline: 503,
  /** A host's agent did not answer in time. */
  agent_timeout: 504,
  unavailable: 503,
  /** The database is locked, full, damaged …: storage.ts. */
  storage_cannot_write: 503,
} as const;

export type ErrorCode = keyof typeof STATUS;
export type ErrorStatus = typeof STATUS[ErrorCode];

/** `message` is a whole sentence for people; `field` names the input that is wrong. */
export class AppError extends Error {
  override name = "AppError";
  /** Seconds after which it makes sense to try again. */
  retryAfter?: number;

  constructor(readonly code: ErrorCode, message: string, readonly field?: string) {
    super(message);
  }

  get status(): ErrorStatus {
    return STATUS[this.code];
  }
}
