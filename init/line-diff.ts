// A change of a text as lines for people: what is behind a minus goes, what is behind a plus comes. Made for changes in
// one place, as those of `mytx init` are; of several it shows all between the first and the last.

const contextLines = 2;

/** Lines of the form `- gone`, `+ new` and `  kept`. */
export function diffLines(before: string, after: string): string[] {
  const [old, now] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  const mark = (sign: string, lines: readonly string[]): string[] => lines.map((line) => `${sign} ${line}`.trimEnd());
  return [
    ...mark(' ', old.slice(Math.max(0, start - contextLines), start)),
    ...mark('-', old.slice(start, old.length - end)),
    ...mark('+', now.slice(start, now.length - end)),
    ...mark(' ', old.slice(old.length - end, old.length - end + contextLines)),
  ];
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
