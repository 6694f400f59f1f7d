// The form in which texts are compared: the same for what a reader takes for the same letters, in every language and on
// every server, whatever its locale.

/**
 * Compatibility forms are one (NFKC: `ﬁ` is `fi`, `Ａ` is `A`, a letter and its accent are one letter), and so are upper and
 * lower case. Both sides of a comparison go through this, a text as a whole: what it gives is not for showing.
 */
export function fold(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  const lower = text.normalize('NFKC').toLowerCase();
  // What lower case makes of a letter depends on its place or keeps a trace of the capital: final sigma, dotted I.
  if (!/\u03c2|\u0307/.test(lower)) return lower;
  return lower.replaceAll('\u03c2', '\u03c3').replaceAll('i\u0307', 'i').normalize('NFKC');
}

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

/** The code points of a text. */
export function codePointsOf(text: string): number[] {
  const points: number[] = [];
  for (let i = 0; i < text.length; i += 1) {
    const point = text.codePointAt(i) as number;
    if (point > 0xffff) i += 1;
    points.push(point);
  }
  return points;
}
