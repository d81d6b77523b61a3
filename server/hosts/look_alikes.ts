// Names that look alike although they are written with other characters: Unicode's table of confusable characters (UTS 39), as
// the package unhomoglyph carries it.
import unhomoglyph from "unhomoglyph";
import { asciiLower } from "./ascii_lower.ts";

/** What a name looks like: two names with one skeleton cannot be told apart by eye. */
export function skeletonOf(name: string): string {
  const plain = name.normalize("NFKD").replace(/\p{Default_Ignorable_Code_Point}/gu, "");
  // Once for the letters as they are, once for their small ones: В looks like B, and в like nothing in Latin.
  return unhomoglyph(asciiLower(unhomoglyph(plain)).normalize("NFKD")).toLowerCase();
}

/** The first of the names that is another one and looks the same. */
export function lookAlikeOf(name: string, others: Iterable<string>): string | undefined {
  const skeleton = skeletonOf(name);
  for (const other of others) {
    if (asciiLower(other) !== asciiLower(name) && skeletonOf(other) === skeleton) return other;
  }
  return undefined;
}
