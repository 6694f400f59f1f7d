// Adds scripts to the text of a package.json, and nothing else: its indentation, line ends and last line stay.

/**
 * The text with `scripts` behind those it has, or null where the file is not written as npm writes one, so that writing
 * it anew would change more than that.
 */
export function addScripts(text: string, scripts: Readonly<Record<string, string>>): string | null {
  const value = JSON.parse(text.replace(/^\uFEFF/, '')) as { scripts?: Record<string, string> };
  const write = writerLike(text);
  if (write(value) !== text) return null;
  return write({ ...value, scripts: { ...value.scripts, ...scripts } });
}

function writerLike(text: string): (value: unknown) => string {
  const indent = text.trim() === '{}' ? '  ' : (/^\{\r?\n([ \t]+)/.exec(text)?.[1] ?? '');
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  const end = /\s*$/.exec(text)?.[0] ?? '';
  return (value) => JSON.stringify(value, null, indent).replaceAll('\n', lineEnd) + end;
}
