import { AppError } from "./errors.ts";

export interface PageInput {
  limit: number;
  /** Opaque: what the page before gave as next_cursor. */
  cursor: string | null;
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** Cuts `limit + 1` rows to a page; the row too many shows that there is another page. */
export function pageOf<R, T>(
  rows: R[],
  input: PageInput,
  cursorOf: (row: R) => string | number,
  itemOf: (row: R) => T,
): Page<T> {
  const shown = rows.slice(0, input.limit);
  const more = rows.length > input.limit;
  return {
    items: shown.map(itemOf),
    next_cursor: more ? String(cursorOf(shown[shown.length - 1]!)) : null,
  };
}

/** A cursor that is a row's number. */
export function numberCursor(input: PageInput): number | null {
  if (input.cursor === null) return null;
  const value = Number(input.cursor);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new AppError("invalid", "cursor must be the next_cursor of the page before.", "cursor");
  }
  return value;
}
