/** What a backend's reader makes of what stands behind its scheme; both without the scheme. */
export interface ReadAddress {
  url: string;
  normalised: string;
}
