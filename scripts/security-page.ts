// npm run docs:security: docs/security.md, from what the tests counted in a run of `npm run test:security`
// (tests/security/results/). No figure is typed here: what a test did not count is said in words.

import { type Recorded, readFigures, type SecurityFigures } from '../tests/security/figures.ts';
import { type Generator, runAsCommand } from './generated-file.ts';

export const securityPage: Generator = {
  command: 'npm run docs:security',
  generate: async () => new Map([['docs/security.md', writePage()]]),
};

/** What is promised, how it was looked at, what was found, and the test. */
type Promised = [promise: string, looked: string, found: string, test: string];

const runs = new Set<string>();

/** The figures of a test, and that its run is named at the end. */
function figuresOf<Name extends keyof SecurityFigures>(name: Name): SecurityFigures[Name] {
  const { date, node, figures }: Recorded<SecurityFigures[Name]> = readFigures(name);
  runs.add(`${date} with Node ${node}`);
  return figures;
}

const show = (value: number): string => value.toLocaleString('en-US');

function writePage(): string {
  const sections = [ofRows(), ofKeys(), ofEncryption(), ofPersons(), ofWords(), ofSearch()];
  const test = (path: string): string => `\`${path}\``;
  const section = ([title, promised, behind]: Section): string =>
    [
      `## ${title}`,
      '',
      '| Promise | Looked at | Found | Test |',
      '| --- | --- | --- | --- |',
      ...promised.map(
        ([promise, looked, found, path]) =>
          `| ${promise} | ${looked} | ${found} | ${path.split(', ').map(test).join(', ')} |`,
      ),
      ...(behind ? ['', behind] : []),
      '',
    ].join('\n');
  return [header, ...sections.map(section), writeEnd()].join('\n');
}

type Section = [title: string, promised: Promised[], behind?: string];

const header = `# Security: what is promised, and how it was looked at

Written by \`npm run docs:security\` from what tests counted (\`tests/security/results/\`); do not edit.

Each row is a test of the suite, run on every change. Figures that depend on the machine are in
[benchmarks](benchmarks.md), as ratios.
`;

function ofRows(): Section {
  const matrix = figuresOf('row-matrix');
  const rules = figuresOf('broken-rules');
  const { calls, users, connections, killed, seen, foreign } = figuresOf('interleaved');
  const badly = figuresOf('interleaved-badly');
  return [
    'Whose rows are whose',
    [
      [
        'Under [`asUser`](row-level-security.md) no row of another is read or written',
        `each of ${matrix.tables} tables × select, update, delete, insert, upsert, giving away, truncate × ${matrix.users} settings: a user, another, none, an empty and a malformed id; logged in as a superuser, as an owner who is none, through PgBouncer, embedded`,
        `${show(matrix.operations)} operations on a server, ${show(matrix.foreign)} did what they may not`,
        'tests/db/row-security.test.ts',
      ],
      [
        '… also when transactions of many interleave',
        `${show(calls)} \`asUser\` of ${show(users)} users over ${connections} server connections behind PgBouncer, with aborts, deadlines and ${killed} killed sessions`,
        `${show(seen)} rows seen, ${show(foreign)} of another`,
        'tests/db/row-security/interleaved.test.ts',
      ],
      [
        '… and that test can fail',
        'the same with a session-wide `SET`',
        `${show(badly.foreign)} of ${show(badly.seen)} rows were another’s`,
        'tests/db/row-security/interleaved.test.ts',
      ],
      [
        'Every query of the package works inside as outside, and as another user finds nothing',
        'each function with ids of another user',
        'no foreign row, nothing changed',
        'tests/db/as-user.test.ts',
      ],
      [
        '“Not yours” looks like “not there”',
        'a chat of another user and one that is not there, as a parent',
        'the same error to the last character but the id',
        'tests/db/as-user.test.ts',
      ],
      [
        'The catalogue keeps to the rules, also for tables that are added',
        `rules broken one by one, ${show(rules.rules)} times over both logins: each is named, and its statement puts it right`,
        `${show(rules.overlooked)} overlooked`,
        'tests/db/row-security.test.ts',
      ],
      [
        'Where roles can’t be created all works but `asUser`, which says what to run',
        'a database on which the owner may not create roles',
        'the statements of the error make it ready',
        'tests/db/row-security.test.ts',
      ],
    ],
  ];
}

function ofKeys(): Section {
  const cut = figuresOf('cut-passwords');
  const times = figuresOf('sign-in-times');
  const loop = figuresOf('event-loop');
  const limited = figuresOf('rate-limit');
  const revoked = figuresOf('revocation');
  const dumped = figuresOf('dumped-keys');
  const made = figuresOf('made-up-keys');
  return [
    'Passwords and API keys',
    [
      [
        `Nothing is cut at ${cut.bytes} bytes`,
        `${show(cut.pairs)} pairs that share ${cut.bytes} bytes`,
        `${show(cut.refused)} refused, ${show(cut.opened)} opened what the other does`,
        'tests/db/passwords/time.test.ts',
      ],
      [
        'An unknown address takes as long as a wrong password',
        `${show(times.tries)} tries each of ${times.ways} ways to fail`,
        `medians ${times.apartPercent} % apart`,
        'tests/db/passwords/time.test.ts',
      ],
      [
        'Hashes stay off the event loop',
        `${loop.signIns} sign-ins at once`,
        `${loop.percentile} % of its delays under ${loop.delayMs} ms`,
        'tests/db/passwords/time.test.ts',
      ],
      [
        'A rate limit is exact',
        `${limited.processes} processes × ${show(limited.checksEach)} checks of a key with a limit of ${show(limited.limit)}`,
        `${show(limited.accepted)} accepted, ${show(limited.refused)} refused`,
        'tests/db/api-keys/many-processes.test.ts',
      ],
      [
        'A revoked key is not accepted',
        `${show(revoked.rounds)} rounds of ${revoked.processes} processes checking while one revokes`,
        `${show(revoked.accepted)} of ${show(revoked.behind)} checks that began behind it`,
        'tests/db/api-keys/many-processes.test.ts',
      ],
      [
        'No key is stored',
        `${show(dumped.keys)} keys, \`pg_dump\``,
        `${show(dumped.found)} found`,
        'tests/db/api-keys/many-processes.test.ts',
      ],
      [
        'A malformed key never reaches the database',
        `${show(made.keys)} made-up keys`,
        `${show(made.statements)} statements`,
        'tests/db/api-keys/format.test.ts',
      ],
    ],
    '[Passwords and API keys](passwords-and-api-keys.md) has how they are made.',
  ];
}

function ofEncryption(): Section {
  const flipped = figuresOf('bit-flips');
  const rotated = figuresOf('rotation');
  const dumped = figuresOf('dumped-plaintext');
  return [
    'Encrypted columns',
    [
      [
        'What was changed is refused',
        `${show(flipped.flips)} bit flips, every truncation, tags of ${flipped.shortestTag} to ${flipped.longestTag} bytes, swaps between columns, tables and keys`,
        `${show(flipped.taken)} taken`,
        'tests/db/encryption/envelope.test.ts',
      ],
      [
        'Rotation loses nothing',
        `${show(rotated.values)} values under ${rotated.writers} writers, ${rotated.kills} times killed (SIGKILL) and gone on with`,
        `${show(rotated.unreadable)} unreadable, ${show(rotated.lost)} lost, ${show(rotated.onOldKey)} on the old key`,
        'tests/db/encryption/rotation.test.ts',
      ],
      [
        'A dump is worth nothing',
        `${show(dumped.marks)} marks in plaintext, \`pg_dump\` before and after`,
        `${show(dumped.before)}, then ${show(dumped.after)}`,
        'tests/db/encryption/owner.test.ts',
      ],
    ],
    'What it does not protect is told in [encryption](encryption.md#what-is-not-protected).',
  ];
}

function ofPersons(): Section {
  const moved = figuresOf('moved');
  return [
    'A person’s data',
    [
      [
        'An export is all of it, and comes back equal, branches included',
        `every table of the catalogue; ${show(moved.messages)} messages, in less than ${moved.mostMiB} MiB`,
        `equal; ${moved.peakMiB} MiB`,
        'tests/db/person-export.test.ts, tests/db/person/move.test.ts',
      ],
      [
        'A file that was cut or changed is refused as a whole',
        'cut behind every line, lines changed, doubled and swapped',
        'all refused, nothing written',
        'tests/db/person-import.test.ts',
      ],
      [
        'An erasure leaves no row',
        'every table of the catalogue, also of an application’s own',
        'no row',
        'tests/db/person-erase.test.ts',
      ],
      [
        'The record of it can’t be changed by the application’s roles',
        'update, delete, truncate as each',
        'refused',
        'tests/db/row-security.test.ts',
      ],
    ],
    'More in [a person’s data](personal-data.md).',
  ];
}

function ofWords(): Section {
  const said = figuresOf('canaries');
  const commands = figuresOf('command-canaries');
  const detector = figuresOf('detector');
  return [
    'What is said',
    [
      [
        'Nothing of a user’s, and no secret, is said in errors, logs and what a command prints',
        `${said.marks} marks (passwords, the URL’s password, keys of each kind, addresses, messages, memories, queries, cursors, files) through ${show(said.calls)} calls that fail in ${said.codes} ways, with SQL logging on; whatever was said (messages, causes, stacks, hidden properties, logs, streams), as it is and encoded`,
        `${show(said.outputs)} outputs, ${show(said.found)} marks in them`,
        'tests/db/canaries.test.ts',
      ],
      [
        '… nor by a command',
        `${commands.marks} marks in the environment and arguments of ${show(commands.commands)} commands that fail in ${commands.codes} ways`,
        `${show(commands.found)} found`,
        'tests/cli/canaries.test.ts',
      ],
      [
        '… and the detector finds',
        `${detector.ways} ways of saying a mark, on purpose`,
        `${show(detector.missed)} missed`,
        'tests/canaries.test.ts',
      ],
    ],
    `Quoted on purpose: ids, numbers, the words of closed sets (a status, \`sslmode\`), short keys of JSON that look like names, and
the text of a migration’s file.`,
  ];
}

function ofSearch(): Section {
  const many = figuresOf('many-numbers');
  return [
    'Search and limits',
    [
      [
        'Search gives what a look at each row would give, however far its index is behind',
        'random histories of saves, branches, edits and deletions',
        'no difference',
        'tests/db/search-model.test.ts',
      ],
      [
        '… and of the person alone, by its index, under row-level security',
        'the plans as `mytx_user`',
        'the index',
        'tests/db/search-plans.test.ts',
      ],
      [
        'What is too large, too many or too deep is refused before a statement is sent',
        'each [limit](queries.md#limits), at it and beyond; JSON far deeper than its limit',
        'refused by name, no statement',
        'tests/db/limits.test.ts',
      ],
      [
        '… and at once',
        `a body of ${show(many.numbers)} numbers, in less than ${many.mostMs} ms`,
        `${many.ms} ms`,
        'tests/security/many-numbers.test.ts',
      ],
    ],
  ];
}

const writeEnd = (): string =>
  `Counted on ${[...runs].sort().join(', ')}. Again: \`npm run test:security\`, which takes some minutes, then \`npm run docs:security\`.\n`;

await runAsCommand(import.meta.url, securityPage);
