// A certificate authority in PEM, as a person pastes it.
import { z } from "zod";

const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** One certificate or several; what is around them is dropped. */
export const certificateAuthority = z.string("must be text").max(
  65_536,
  "must be at most 65536 characters",
).transform((text) => (text.match(BLOCK) ?? []).join("\n")).refine(
  (text) => text !== "",
  "must be one or more certificates in PEM: -----BEGIN CERTIFICATE----- …",
);
