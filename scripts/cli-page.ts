// npm run docs:cli: docs/cli.md, from the verbs of cli/program.ts and the exit codes of cli/exit-codes.ts: the same
// descriptions, flags and examples that `--help` shows. What no verb says of itself is written here.

import type { Argument, Option } from 'commander';
import { type ExitCode, errorCodesOf, exitCodeMeanings, exitCodes } from '../cli/exit-codes.ts';
import { buildProgram } from '../cli/program.ts';
import { Verb } from '../cli/verb.ts';
import { type Generator, runAsCommand } from './generated-file.ts';

export const cliPage: Generator = {
  command: 'npm run docs:cli',
  generate: async () => new Map([['docs/cli.md', drawPage(buildProgram())]]),
};

function drawPage(program: Verb): string {
  const visible = program.createHelp().visibleCommands(program);
  const verbs = visible.filter((command): command is Verb => command instanceof Verb && command.name() !== 'help');
  return `# The command line

\`npx mytx <verb>\` works on the database that \`POSTGRES_URL\` names, in the [environment](overview.md#environment) or in
\`.env.local\`; without it on the embedded one in \`.mytx/\`. The first line that a verb prints says which. In a checkout it is
the same, and \`npm start\` is \`npx mytx start\`.

Written by \`npm run docs:cli\` from [cli/program.ts](../cli/program.ts); do not edit.

${drawTable(verbs)}

Each of them takes \`--help\`; \`npx mytx --version\` prints the version.

${verbs.map(drawVerb).join('\n\n')}

${drawExitCodes()}

## For scripts

With \`--json\` a verb prints one object on stdout, and all text on stderr. It has \`ok\`, \`command\`, \`target\` (the database,
without a password), \`data\` (what the verb did or found), \`warnings\`, and \`error\`: null or its \`code\`, \`message\` and \`hint\`.
Branch on the exit code or on \`error.code\`, never on a text. Nothing is asked where there is no terminal, or where \`CI\` is
set: what needs a yes exits with ${exitCodes.needsAnswer} and names the flag.

Ctrl-C ends a verb at its next step: what was not finished is rolled back, what is open is closed. A second one, a second
later, ends it at once.

## Completion

\`npx mytx completion <shell>\` prints a script that completes verbs, flags, their values and, where one is wanted, files:

\`\`\`bash
npx mytx completion bash
\`\`\`

It completes the word \`mytx\`, not \`npx mytx\`: the command must be on the \`PATH\`, in an application by
\`export PATH="$PWD/node_modules/.bin:$PATH"\`. Then a line in the shell’s profile:

| Shell | Profile | Line |
| --- | --- | --- |
| bash | \`~/.bashrc\` | \`source <(mytx completion bash)\` |
| zsh | \`~/.zshrc\`, behind \`compinit\` | \`source <(mytx completion zsh)\` |
| fish | \`~/.config/fish/config.fish\` | \`mytx completion fish \\| source\` |

The script asks \`mytx\` at each press of the key, so that it never has to be made again. Nothing that was typed is evaluated
for that, and no database is opened.
`;
}

function drawTable(verbs: readonly Verb[]): string {
  const rows = verbs.map((verb, i) => {
    const group = groupOf(verb);
    const isFirst = i === 0 || groupOf(verbs[i - 1] as Verb) !== group;
    return `| ${isFirst ? `**${group}**` : ''} | [\`${verb.name()}\`](#mytx-${verb.name()}) | ${cell(verb.description())} |`;
  });
  return ['| | Verb | What it does |', '| --- | --- | --- |', ...rows].join('\n');
}

const groupOf = (verb: Verb): string => verb.helpGroup().replace(/:$/, '');

function drawVerb(verb: Verb): string {
  const { examples, page } = verb;
  const more = page ? ` More: [${page.replace(/\.md$/, '').replaceAll('-', ' ')}](${page}).` : '';
  return [
    `## mytx ${verb.name()}`,
    '',
    `${asSentence(verb.description())}${more}`,
    '',
    '```text',
    verb.createHelp().commandUsage(verb),
    '```',
    '',
    ...drawParts(verb),
    '```sh',
    ...examples,
    '```',
  ].join('\n');
}

/** Its arguments and flags; --help is the same for all. */
function drawParts({ registeredArguments, options }: Verb): string[] {
  const rows = [...registeredArguments.map(drawArgument), ...options.map(drawFlag)];
  return rows.length === 0 ? [] : ['| | Meaning |', '| --- | --- |', ...rows, ''];
}

function drawArgument(argument: Argument): string {
  const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
  return `| \`${name}\` | ${cell(argument.description)}${drawChoices(argument)} |`;
}

function drawFlag(flag: Option): string {
  return `| \`${flag.flags}\` | ${cell(flag.description)}${drawChoices(flag)} |`;
}

function drawChoices({ argChoices }: Argument | Option): string {
  return argChoices ? `: ${argChoices.map((choice) => `\`${choice}\``).join(', ')}` : '';
}

function drawExitCodes(): string {
  const rows = exitCodeMeanings.map(([code, meaning]) => `| ${code} | ${cell(meaning)} | ${drawCodes(code)} |`);
  return `## Exit codes

The same for every verb. The error codes are those that end so; each has [a page](errors/README.md).

| Exit code | Meaning | Error codes |
| ---: | --- | --- |
${rows.join('\n')}`;
}

function drawCodes(exitCode: ExitCode): string {
  if (exitCode === exitCodes.failed) return 'every other';
  const codes = errorCodesOf(exitCode).sort();
  return codes.map((code) => `[${code}](errors/${code}.md)`).join(', ');
}

/** Text that Markdown takes as it is, also where it looks like a tag or the end of a cell. */
function cell(text: string): string {
  return text.replaceAll(/[<|]/g, '\\$&');
}

function asSentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${cell(text.slice(1))}.`;
}

await runAsCommand(import.meta.url, cliPage);
