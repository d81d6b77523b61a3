// Ed25519 public keys under which anybody can make a signature that verifies, or that are written in a second way.

/** The eight points of small order, each in every encoding that a lax reader takes. Source: https://eprint.iacr.org/2020/823, table 1. */
export const SMALL_ORDER = [
  "0100000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

/** A signature that WebCrypto takes under that key, made without any secret: some message's hash always fits. */
export async function forge(
  publicKey: Uint8Array,
  message: (attempt: number) => Uint8Array<ArrayBuffer>,
  attempts = 64,
): Promise<{ attempt: number; signature: Uint8Array<ArrayBuffer> } | undefined> {
  const key = await crypto.subtle.importKey("raw", new Uint8Array(publicKey), "Ed25519", false, [
    "verify",
  ]);
  for (let attempt = 0; attempt < attempts; attempt++) {
    for (const point of SMALL_ORDER) {
      const signature = new Uint8Array(64);
      signature.set(Uint8Array.fromHex(point));
      if (await crypto.subtle.verify("Ed25519", key, signature, message(attempt))) {
        return { attempt, signature };
      }
    }
  }
  return undefined;
}
