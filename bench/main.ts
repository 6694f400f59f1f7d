// npm run bench: the figures of docs/benchmarks.md, as ratios of things measured in turn on one PostgreSQL, which it
// starts and which syncs as one in production does. Installs the peers of bench/package.json the first time.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Effort, type Figure, isMet, type TurnTime } from './figure.ts';
import { describeMachine, type Machine, saveResult, startBenchServer } from './harness.ts';
import { measureLoads, measureReads } from './reads.ts';
import { measureBytes, measureTurns, measureTurnTimes } from './turns.ts';

export interface FiguresResult extends Machine {
  figures: Figure[];
  turns: TurnTime[];
}

const groups = ['reads', 'loads', 'turns', 'bytes', 'peers'] as const;
type Group = (typeof groups)[number];

const help = `npm run bench [-- options]

  --quick        fewer rounds: under a minute, and noisier
  --only <list>  some of ${groups.join(', ')}
  --check        exit 1 where a figure is not what is promised
  --json         print the result as JSON
  --save         write bench/results/figures.json, which docs/benchmarks.md is made of

Examples:
  npm run bench -- --quick
  npm run bench -- --only turns,bytes
  npm run bench -- --save && npm run docs:benchmarks`;

const efforts: Record<'quick' | 'whole', Effort> = {
  quick: { rounds: 3, readMs: 400 },
  whole: { rounds: 11, readMs: 2000 },
};

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: groups.join() },
      check: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      save: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(help);
  const wanted = values.only.split(',').map((name) => name.trim());
  const strange = wanted.filter((name) => !groups.includes(name as Group));
  if (strange.length > 0) throw new Error(`--only ${strange.join()}: there are ${groups.join(', ')}`);
  const result = await measure(wanted as Group[], efforts[values.quick ? 'quick' : 'whole']);
  if (values.save) saveResult('figures', result);
  console.log(values.json ? JSON.stringify(result) : render(result));
  if (values.check && result.figures.some((figure) => isMet(figure) === false)) process.exitCode = 1;
}

export async function measure(wanted: readonly Group[], effort: Effort): Promise<FiguresResult> {
  const hasPeers = wanted.includes('peers') && installPeers();
  const { server, url } = await startBenchServer();
  try {
    const measures: Record<Exclude<Group, 'peers'>, typeof measureReads> = {
      reads: measureReads,
      loads: measureLoads,
      turns: measureTurns,
      bytes: measureBytes,
    };
    const figures: Figure[] = [];
    for (const [group, run] of Object.entries(measures)) {
      if (wanted.includes(group as Group)) figures.push(...(await run(url, effort)));
    }
    const turns = wanted.includes('peers') ? await measureTurnTimes(url, effort, hasPeers) : [];
    return { ...describeMachine(server), figures, turns };
  } finally {
    await server.stop();
  }
}

/** @returns whether they are there */
function installPeers(): boolean {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  if (existsSync(`${folder}node_modules/@langchain/langgraph`)) return true;
  console.error('installing the peers of bench/package.json, once');
  try {
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'ignore' });
    return true;
  } catch {
    console.error('they can’t be installed here (npm ci in bench/): LangGraph is left out');
    return false;
  }
}

function render({ figures, turns, postgres, node }: FiguresResult): string {
  const lines = figures.map((figure) => {
    const { name, to, ratio, middle, target } = figure;
    const promised = target ? ('least' in target ? `at least ${target.least}` : `at most ${target.most}`) : '';
    const verdict = isMet(figure) === false ? '  MISSED' : '';
    const [low, high] = middle.map((value) => value.toFixed(2));
    return `${ratio.toFixed(2).padStart(6)}  (${low} to ${high})  ${promised.padEnd(12)}  ${name.replaceAll('`', '')}, to ${to}${verdict}`;
  });
  const ways = turns.map(
    ({ messages, oursMs, specMs, langGraphMs }) =>
      `${String(messages).padStart(6)} messages there: ours ${oursMs.toFixed(2)} ms, the specification’s way ${specMs.toFixed(2)}, LangGraph ${langGraphMs?.toFixed(2) ?? 'not here'}`,
  );
  return [`PostgreSQL ${postgres}, Node ${node}`, ...lines, ...(ways.length > 0 ? ['a turn:', ...ways] : [])].join(
    '\n',
  );
}

if (process.argv[1] === import.meta.filename) await main();
