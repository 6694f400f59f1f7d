// npm run docs:errors: docs/errors/, a page for each error code and an index, from error-catalogue.ts.

import { type Entry, errorCatalogue } from './error-catalogue.ts';
import { type Generator, runAsCommand } from './generated-file.ts';

const folder = 'docs/errors';

export const errorPages: Generator = {
  command: 'npm run docs:errors',
  folder,
  generate: async () => {
    const entries = Object.entries(errorCatalogue);
    return new Map([
      [`${folder}/README.md`, drawIndex(entries)],
      ...entries.map(([code, entry]): [string, string] => [`${folder}/${code}.md`, drawPage(code, entry)]),
    ]);
  },
};

function drawIndex(entries: [string, Entry][]): string {
  const classes = [...new Set(entries.map(([, entry]) => entry.class))];
  return `# Error codes

Every error that this package throws has a \`code\`, a \`message\` that says what happened, a \`hint\` that says what to do
next, \`details\` that a program can read and, where there is one, a \`cause\`. Branch on \`code\`. No error holds a password,
a connection string or what a user wrote; a wrong id, number or status is quoted as it was given. \`error.toJSON()\` is
what a log may keep.

Any error that leaves a function given to \`transaction()\` rolls the whole transaction back, whatever its page says.

Written by \`npm run docs:errors\`; do not edit.
${classes.map((name) => drawClass(name, entries)).join('')}`;
}

function drawClass(name: string, entries: [string, Entry][]): string {
  const rows = entries
    .filter(([, entry]) => entry.class === name)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([code, { happened }]) => `| [${code}](${code}.md) | ${happened} |`);
  return `\n## ${name}\n\n| Code | What happened |\n|---|---|\n${rows.join('\n')}\n`;
}

function drawPage(code: string, entry: Entry): string {
  const { causes, actions, example, happened, written, repeat } = entry;
  return `# ${code}

${happened} (\`${entry.class}\`)

\`\`\`text
error ${code}: ${example.message}
next: ${example.hint}
\`\`\`

## Common causes

${drawList(causes)}

## What to do

${drawList(actions)}

## What it leaves behind

| | |
|---|---|
| Written | ${written} |
| Calling again | ${repeat} |

[All codes](README.md)
`;
}

function drawList(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

await runAsCommand(import.meta.url, errorPages);
