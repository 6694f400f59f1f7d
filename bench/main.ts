// npm run bench: the figures of docs/benchmarks.md, as ratios of things measured in turn in one run, on a PostgreSQL that
// it starts and that syncs as one in production does, and again on the embedded database.

import { parseArgs } from 'node:util';
import { measureKeys } from './api-keys.ts';
import { measureAsUser } from './as-user.ts';
import { measureLogged, measureSent } from './bytes.ts';
import { measureCommandLine } from './command-line.ts';
import { measureDeploy } from './deploy.ts';
import { type Effort, type Figure, isMet, type TurnTime, withEmbedded } from './figure.ts';
import { describeMachine, type Machine, readResult, saveResult, startBenchServer } from './harness.ts';
import { measureLoads } from './loads.ts';
import { openPeers, type Peers } from './peers.ts';
import { prepareOthers, prepareRows } from './read-rows.ts';
import { measureReads } from './reads.ts';
import { measureSearch } from './search.ts';
import { measureSeed } from './seed.ts';
import { openEmbeddedStage, openServerStage, type Stage } from './stage.ts';
import { measureTurns, measureTurnTimes } from './turns.ts';
import { type ChangesResult, measureChanges } from './zero-downtime.ts';

export interface FiguresResult extends Machine {
  figures: Figure[];
  turns: TurnTime[];
  /** Absent where they were not measured. */
  changes?: ChangesResult;
}

const groups = [
  'reads',
  'users',
  'keys',
  'search',
  'loads',
  'turns',
  'seed',
  'bytes',
  'deploy',
  'zero-downtime',
  'cli',
  'chart',
] as const;
type Group = (typeof groups)[number];

export interface Wanted {
  groups: readonly Group[];
  /** Measured beside this package: the specification's way and LangGraph. */
  peers: boolean;
  embedded: boolean;
}

const help = `npm run bench [-- options]

  --quick        fewer rounds, and no loading: under a minute, and noisier
  --only <list>  some of ${groups.join(', ')}
  --alone        without the specification's way, LangGraph and the embedded database
  --check        exit 1 where a figure is not what is promised
  --json         print the result as JSON
  --save         write bench/results/figures.json, which docs/benchmarks.md is made of; with --only its other figures stay

Installs LangGraph (bench/package.json) the first time.

Examples:
  npm run bench -- --quick
  npm run bench -- --only turns,bytes --alone
  npm run bench -- --save && npm run docs:benchmarks`;

const efforts: Record<'quick' | 'whole', Effort> = {
  quick: {
    rounds: 3,
    readMs: 150,
    seedMessages: 50_000,
    apiKeys: 10_000,
    searchedMessages: 100_000,
    migrations: 200,
    backfilledRows: 50_000,
    changedRows: 50_000,
    longestThread: 500,
  },
  whole: {
    rounds: 11,
    readMs: 1000,
    seedMessages: 1_000_000,
    apiKeys: 100_000,
    searchedMessages: 1_000_000,
    migrations: 200,
    backfilledRows: 1_000_000,
    changedRows: 2_000_000,
    longestThread: 10_000,
  },
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      alone: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(help);
  const all = groups.filter((group) => !(values.quick && group === 'seed'));
  const chosen = values.only?.split(',').map((name) => name.trim()) ?? all;
  const strange = chosen.filter((name) => !groups.includes(name as Group));
  if (strange.length > 0) throw new Error(`--only ${strange.join()}: there are ${groups.join(', ')}`);
  const wanted: Wanted = { groups: chosen as Group[], peers: !values.alone, embedded: !values.alone };
  const result = await measure(wanted, efforts[values.quick ? 'quick' : 'whole']);
  if (values.save) saveResult('figures', values.only === undefined ? result : withThose(readResult('figures'), result));
  console.log(values.json ? JSON.stringify(result) : render(result));
  if (values.check && result.figures.some((figure) => isMet(figure) === false)) process.exitCode = 1;
}

export async function measure(wanted: Wanted, effort: Effort): Promise<FiguresResult> {
  const ofCommandLine = wanted.groups.includes('cli') ? await measureCommandLine(effort) : []; // no server beside it
  const { server, url } = await startBenchServer();
  try {
    const { figures, ...others } = await measureOnServer(url, wanted, effort);
    const embedded = wanted.embedded ? await measureEmbedded(wanted, effort) : [];
    return { ...describeMachine(server), figures: [...withEmbedded(figures, embedded), ...ofCommandLine], ...others };
  } finally {
    await server.stop();
  }
}

async function measureOnServer(
  url: string,
  { groups: chosen, peers: hasPeers, embedded: hasEmbedded }: Wanted,
  effort: Effort,
): Promise<Pick<FiguresResult, 'figures' | 'turns' | 'changes'>> {
  const peers = hasPeers ? await openPeers(url) : undefined;
  const stage = await openServerStage(url);
  try {
    const figures = await measureStage(stage, chosen, effort, peers);
    if (chosen.includes('bytes')) figures.push(await measureSent(url, effort, peers && openPeers));
    if (chosen.includes('deploy')) figures.push(...(await measureDeploy(url, effort)));
    const changes = chosen.includes('zero-downtime') ? await measureChanges(url, effort) : undefined;
    figures.push(...(changes?.figures ?? []));
    if (chosen.includes('search')) figures.push(...(await measureSearch(url, effort)));
    if (chosen.includes('seed')) figures.push(...(await measureSeed(url, effort, { peers, embedded: hasEmbedded })));
    const turns = peers && chosen.includes('chart') ? await measureTurnTimes(stage, effort, peers) : [];
    return { figures, turns, ...(changes && { changes: changes.result }) };
  } finally {
    await stage.close();
    await peers?.close();
  }
}

async function measureEmbedded({ groups: chosen }: Wanted, effort: Effort): Promise<Figure[]> {
  const { stage, rows } = await openEmbeddedStage(prepareRows);
  try {
    return await measureStage(stage, chosen, effort, undefined, rows);
  } finally {
    await stage.close();
  }
}

async function measureStage(
  stage: Stage,
  chosen: readonly Group[],
  effort: Effort,
  peers?: Peers,
  prepared?: Awaited<ReturnType<typeof prepareRows>>,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  if (chosen.includes('reads') || chosen.includes('users') || chosen.includes('loads')) {
    const rows = prepared ?? (await stage.run(prepareRows));
    const others = peers && (await prepareOthers(peers));
    if (chosen.includes('reads')) figures.push(...(await measureReads(stage, rows, effort, others)));
    if (chosen.includes('users')) figures.push(...(await measureAsUser(stage, rows, effort)));
    if (chosen.includes('loads')) figures.push(...(await measureLoads(stage, rows, effort, others)));
  }
  if (chosen.includes('keys')) figures.push(...(await measureKeys(stage, effort, peers)));
  if (chosen.includes('turns')) figures.push(...(await measureTurns(stage, effort, peers)));
  if (chosen.includes('bytes')) figures.push(...(await measureLogged(stage, effort, peers)));
  return figures;
}

/** An earlier result with what was measured now in its place, or behind it. */
export function withThose(before: FiguresResult, now: FiguresResult): FiguresResult {
  const sameIn = (figures: readonly Figure[], { name, to }: Figure): Figure | undefined =>
    figures.find((other) => other.name === name && other.to === to);
  const there = before.figures.map((figure) => sameIn(now.figures, figure) ?? figure);
  const added = now.figures.filter((figure) => !sameIn(before.figures, figure));
  const turns = now.turns.length > 0 ? now.turns : before.turns;
  return { ...before, ...now, figures: [...there, ...added], turns };
}

function render({ figures, turns, postgres, node }: FiguresResult): string {
  const header = ['ratio', 'half of the rounds', 'promised', 'embedded', 'spec', 'LangGraph', ''];
  const rows = figures.map((figure) => {
    const { name, to, ratio, middle, embedded, spec, langGraph } = figure;
    return [
      ratio.toFixed(2),
      middle.map((value) => value.toFixed(2)).join(' to '),
      promiseOf(figure),
      ...[embedded, spec, langGraph].map((value) => value?.toFixed(2) ?? ''),
      `${name.replaceAll('`', '')}, to ${to}${isMet(figure) === false ? '  MISSED' : ''}`,
    ];
  });
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)));
  const lines = [header, ...rows].map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const ways = turns.map(
    ({ messages, oursMs, specMs, langGraphMs }) =>
      `${String(messages).padStart(6)} messages there: ours ${oursMs.toFixed(2)} ms, the specification’s way ${specMs.toFixed(2)}, LangGraph ${langGraphMs?.toFixed(2) ?? 'not here'}`,
  );
  const parts = [`PostgreSQL ${postgres}, Node ${node}`, ...lines, ...(ways.length > 0 ? ['a turn:', ...ways] : [])];
  return parts.join('\n');
}

export function promiseOf({ target }: Figure): string {
  if (!target) return '';
  return 'least' in target ? `at least ${target.least}` : `at most ${target.most}`;
}

if (process.argv[1] === import.meta.filename) await main();
