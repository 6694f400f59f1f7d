// npm run docs:reliability: docs/reliability.md, from the results that the long run of the fault tests writes
// (tests/faults/results/). It computes sums and invents no number.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { callDeadlineMs, deadlines } from '../tests/faults/deadlines.ts';
import type { EngineResults, FaultResults } from '../tests/faults/results.ts';
import { type Generator, runAsCommand } from './generated-file.ts';

const resultsFolder = fileURLToPath(new URL('../tests/faults/results', import.meta.url));

export const reliabilityPage: Generator = {
  command: 'npm run docs:reliability',
  generate: async () => new Map([['docs/reliability.md', writePage(readResults())]]),
};

/** Servers first, oldest first. */
function readResults(): EngineResults[] {
  return readdirSync(resultsFolder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(`${resultsFolder}/${name}`, 'utf8')) as EngineResults)
    .sort((one, other) => order(one) - order(other));
}

function order({ engine }: EngineResults): number {
  return Number(/^PostgreSQL (\d+)/.exec(engine)?.[1] ?? 1000);
}

/** The results of a fault on every engine it was injected on. */
type Row = FaultResults[];

function writePage(engines: readonly EngineResults[]): string {
  const names = [...new Set(engines.flatMap(({ faults }) => faults.map(({ name }) => name)))];
  const rows = names.map((name): Row => engines.flatMap(({ faults }) => faults.filter((fault) => fault.name === name)));
  return [
    header,
    writeSummary(engines, rows),
    writeTable(rows),
    meaning,
    writePicture(rows),
    writeFaults(rows),
    writeErrors(rows),
    rest(engines),
  ].join('\n');
}

const header = `# Reliability

Written by \`npm run docs:reliability\` from what the long run of the fault tests found (\`tests/faults/results/\`); do not edit.

What was done to the data layer on purpose, and what became of the writes that it had acknowledged. Several callers of
several users write and read all the time. Each acknowledgement goes into a ledger, a file that is synced to disk before
the caller goes on. Then something breaks; when it is good again, the ledger is compared with the rows, through a
connection that had no part in it.
`;

const sum = (row: Row, read: (fault: FaultResults) => number): number =>
  row.reduce((total, fault) => total + read(fault), 0);
const most = (row: Row, read: (fault: FaultResults) => number | undefined): number | undefined => {
  const values = row.flatMap((fault) => read(fault) ?? []);
  return values.length === 0 ? undefined : Math.max(...values);
};
const seconds = (ms: number): string => `${ms / 1000} s`;
const show = (value: number): string => value.toLocaleString('en-US');
const cell = (value: number | undefined, unit = ''): string => (value === undefined ? '–' : `${show(value)}${unit}`);

type Figure = keyof FaultResults['zero'];

function writeSummary(engines: readonly EngineResults[], rows: readonly Row[]): string {
  const all = rows.flat();
  const zero = (...figures: Figure[]): string =>
    show(figures.reduce((total, figure) => total + sum(all, (fault) => fault.zero[figure]), 0));
  const [first] = engines;
  const lines = [
    ['Faults injected', show(sum(all, ({ injections }) => injections))],
    ['On', engines.map(({ engine }) => engine).join(', ')],
    ['Calls', show(sum(all, ({ calls }) => calls))],
    ['Writes acknowledged', show(sum(all, ({ acknowledged }) => acknowledged))],
    ['… of them lost', zero('lost')],
    ['… of them there twice', zero('doubled')],
    ['Transactions of which only a part is there', zero('half')],
    ['Writes that were refused, and are there all the same', zero('refusedButThere')],
    ['Chats with a gap, or out of order', zero('disordered')],
    ['Reads that did not show one’s own acknowledged write', zero('stale')],
    ['Calls that settled later than their deadline plus 10 %', zero('late')],
    ['Promises that never settled', zero('pending')],
    ['Errors without a code, or with one that the fault does not explain', zero('unexpected')],
    ['Writes whose outcome was unknown, then repeated and known', show(sum(all, (one) => one.unknownThenSettled))],
    ['Writes whose outcome stayed unknown', zero('unknownAtEnd')],
    ['Checks of the next call, the pool, health and connections that failed', zero('unhealed')],
    ['Run', `${first?.date}, Node ${first?.node.slice(1)}, seed ${first?.seed}`],
  ];
  return table(['What', 'Figure'], lines);
}

function writeTable(rows: readonly Row[]): string {
  const head = ['Fault', 'Injected', 'Acknowledged', 'Lost', 'Doubled', 'Half', 'Stale', 'Late', 'Never settled'];
  const more = ['Unknown, then known', 'Slowest call, of its deadline', 'Next call after it', 'Connections in 10 s'];
  const lines = rows.map((row) => {
    const zero = (figure: Figure): string => show(sum(row, (fault) => fault.zero[figure]));
    return [
      row[0]?.name ?? '',
      show(sum(row, ({ injections }) => injections)),
      show(sum(row, ({ acknowledged }) => acknowledged)),
      ...(['lost', 'doubled', 'half', 'stale', 'late', 'pending'] as const).map(zero),
      show(sum(row, ({ unknownThenSettled }) => unknownThenSettled)),
      cell(
        most(row, ({ slowestPercent }) => slowestPercent),
        ' %',
      ),
      showRecovery(row),
      cell(most(row, ({ connectsIn10s }) => connectsIn10s)),
    ];
  });
  return `## Fault by fault\n\n${table([...head, ...more], lines)}`;
}

/** The median of the engine that took longest, and the longest of all. */
function showRecovery(row: Row): string {
  const median = most(row, ({ recoveryMs }) => recoveryMs?.median);
  const longest = most(row, ({ recoveryMs }) => recoveryMs?.most);
  return median === undefined || longest === undefined ? '–' : `${show(median)} ms, at most ${show(longest)}`;
}

const meaning = `- **Next call after it** is the time from the end of the fault to the answer of the first call made then: the median
  and the longest. That call has to succeed. After an outage a new connection is tried once a second at most, which is
  most of it; for the embedded database it is the start of a new process, too.
- **Connections in 10 s** is the most that the server’s side saw, cancel requests included. 20 are allowed; where a fault
  breaks connections that were good, as many more as it broke.
- **Slowest call** leaves out the time in which the test’s own process stood still.
- A dash: does not apply. Storms have no recovery, and the embedded database has no network.
`;

function writePicture(rows: readonly Row[]): string {
  const picture = rows.flat().find(({ timeline }) => timeline);
  if (!picture?.timeline) return '';
  const { acknowledged, stepMs, beganIn, healedIn } = picture.timeline;
  const steps = acknowledged.map((_, step) => `"${((step * stepMs) / 1000).toFixed(1)}"`);
  return `## A server that is killed

Writes acknowledged in each tenth of a second. Every process of the server gets SIGKILL at
${((beganIn * stepMs) / 1000).toFixed(1)} s, and it answers again at ${((healedIn * stepMs) / 1000).toFixed(1)} s.

\`\`\`mermaid
xychart-beta
  x-axis "seconds" [${steps.join(', ')}]
  y-axis "writes acknowledged"
  bar [${acknowledged.join(', ')}]
\`\`\`
`;
}

function writeFaults(rows: readonly Row[]): string {
  return `## What is done\n\n${rows.map(([fault]) => `- **${fault?.name}.** ${fault?.sentence}`).join('\n')}\n`;
}

function writeErrors(rows: readonly Row[]): string {
  const lines = rows.flatMap((row) => {
    const counts = new Map<string, number>();
    for (const { failed } of row) {
      for (const [code, count] of Object.entries(failed)) counts.set(code, (counts.get(code) ?? 0) + count);
    }
    if (counts.size === 0) return [];
    const sorted = [...counts].sort(([, one], [, other]) => other - one);
    return [
      [row[0]?.name ?? '', sorted.map(([code, count]) => `[${code}](errors/${code}.md) ${show(count)}`).join(', ')],
    ];
  });
  return `## What callers were told

Calls that failed, by the code of their error. Every one but OUTCOME_UNKNOWN says that nothing was written, and nothing
was; a write with OUTCOME_UNKNOWN is called again with \`details.repeatWith\`, and is there once.

${table(['Fault', 'Errors'], lines)}`;
}

const rest = (engines: readonly EngineResults[]): string => `## How it is measured

- **Calls**: \`appendMessages\`, \`saveChat\`, \`saveMemory\`, \`addTask\`, \`updateTask\`, \`transaction\` with two writes, and behind
  each acknowledged one a read that must show it; three users, two callers each, a pool of six connections. With a
  replica also four users who write once and then read up to forty times, so that the primary and the replica take turns
  to answer; the replica may be as far behind as it likes, and no call at all may fail.
- **Deadlines**: ${seconds(deadlines.connectTimeoutMs)} to connect, ${seconds(deadlines.poolWaitMs)} to wait for a connection, ${seconds(deadlines.statementTimeoutMs)} for a statement. A call in \`withDeadline\` has ${seconds(callDeadlineMs)},
  whatever it does; one without it has, for each of its statements, the wait for a connection and the statement’s own
  time. The defaults are longer and hold the same way; one of less than a second may be passed by 100 ms, which a cancel
  request gets to come back: [deadlines](queries.md#deadlines).
- **Ledger**: what was acknowledged must be there once, where the answer said; what was refused must not be there; what
  nobody was told of must be there whole or not at all. It is compared behind each fault, and once more behind all.
- **Health**: \`checkHealth()\` says healthy before and after, and not while nothing can succeed. Behind each fault every
  connection of the pool works, and the server has no session that the pool does not know of.
- In ${engines.map(({ engine, stalledMs }) => `${engine} ${show(Math.round(stalledMs / 1000))} s`).join(', ')} of the run the test’s own process stood
  still: that time is in no comparison with a deadline.

## What is not covered

- **Loss of power, and of the machine.** The servers of the tests run without \`fsync\`, which a killed process does not
  need and a machine without power does. On a server of yours it is PostgreSQL’s \`fsync\` and \`synchronous_commit\`, and
  the honesty of the disk, that decide. The embedded database never syncs: [embedded](embedded.md).
- **A disk that gives back other bytes than it was given.** PostgreSQL’s data checksums are for that.
- **Read-your-writes across processes.** Another process than the one that wrote may read an older row on a replica:
  [read replicas](replicas.md).
- **Failover, and two servers that both think they are the primary.** What was acknowledged by a server that is then
  replaced by a copy that lags behind is lost; only synchronous replication prevents it.
- **A full disk of the write-ahead log**: PostgreSQL ends itself then, which is a server killed.
- **An update that comes late.** Where an answer is lost, the same update is sent again, and a newer one may follow. A
  server that was frozen could still carry out the first copy behind them. It did not happen here; rows that are added,
  which have ids, and messages, which have positions, are safe from it.

## Again

\`npm test\` injects fewer of them; \`npm run test:long:faults\` injects these, and writes the results. The seed is printed first.
With it the faults come in the same order, as long and with the same mix of calls; the clock does the rest:

\`\`\`text
MYTX_FAULT_SEED=${engines[0]?.seed} npm run test:long:faults
npm run docs:reliability
\`\`\`
`;

/** A Markdown table whose figures are on the right. */
function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const isFigure = (column: number): boolean => lines.every((line) => /^[\d,–]/.test(line[column] ?? ''));
  const rule = head.map((_, column) => (isFigure(column) ? '---:' : '---'));
  return `${[head, rule, ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n')}\n`;
}

await runAsCommand(import.meta.url, reliabilityPage);
