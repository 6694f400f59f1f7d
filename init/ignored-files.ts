// What of a project must stay out of version control: the embedded database, and the file with the server's password.

/** Lines that stand for each of the two, as people write them. */
const ignored: readonly { line: string; isCovered: RegExp }[] = [
  { line: '.mytx/', isCovered: /^\/?\.mytx\/?\*{0,2}$/ },
  { line: '.env.local', isCovered: /^(\*\*\/)?\/?(\.env(\.local|\*|\.\*|\*\.local)|\*\.local)$/ },
];

/** The text of a .gitignore with the lines it lacks, or null where it lacks none. */
export function addIgnored(text: string): string | null {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const missing = ignored.filter(({ isCovered }) => !lines.some((line) => isCovered.test(line)));
  if (missing.length === 0) return null;
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  const start = text === '' || text.endsWith('\n') ? text : `${text}${lineEnd}`;
  return start + missing.map(({ line }) => `${line}${lineEnd}`).join('');
}
