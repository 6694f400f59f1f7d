// Adds scripts to the text of a package.json, and nothing else: its indentation, line ends and last line stay.

/**
 * The text with those of `scripts` whose names are not taken, or null where the file is not written as npm writes one,
 * so that writing it anew would change more than that.
 */
export function addScripts(text: string, scripts: Readonly<Record<string, string>>): string | null {
  const value = JSON.parse(text.replace(/^\uFEFF/, '')) as { scripts?: Record<string, string> };
  const write = writerLike(text);
  if (write(value) !== text) return null;
  const added = missing(scripts, value.scripts);
  return Object.keys(added).length === 0 ? text : write({ ...value, scripts: { ...value.scripts, ...added } });
}

function missing(
  scripts: Readonly<Record<string, string>>,
  there: Record<string, string> = {},
): Record<string, string> {
  return Object.fromEntries(Object.entries(scripts).filter(([name]) => !(name in there)));
}

function writerLike(text: string): (value: unknown) => string {
  const indent = /^\{\r?\n([ \t]+)/.exec(text)?.[1] ?? '';
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  const end = /\s*$/.exec(text)?.[0] ?? '';
  return (value) => JSON.stringify(value, null, indent).replaceAll('\n', lineEnd) + end;
}
