/** One measure against a limit that was measured in the same run. */
export interface Row {
  measure: string;
  /** What it is compared with. */
  limit: string;
  goal: string;
  /** Measure divided by limit, or the plain number where there is no limit. */
  ratio: number;
  unit?: string;
  detail?: string;
}
