import { Point } from "@noble/ed25519";

/**
 * Whether a proof under this Ed25519 key can be made by nobody but who has its secret. WebCrypto takes any encoding of any
 * point: under one of small order everybody can make a signature that verifies, since the message cancels out. Taken is only
 * the one canonical encoding (RFC 8032, 5.1.3) of a point of the large prime order, which every honest key is.
 */
export function isOwnersAlone(publicKey: Uint8Array): boolean {
  try {
    const point = Point.fromBytes(publicKey, false);
    return !point.isSmallOrder() && point.isTorsionFree();
  } catch {
    // No point of the curve, or written in another way than the canonical one.
    return false;
  }
}
