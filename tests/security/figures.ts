// The figures of docs/security.md. A test says what it counted, also what it began with; in a run of `npm run test:security`
// that is written to tests/security/results/, of which `npm run docs:security` makes the page.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What each test counted. */
export interface SecurityFigures {
  /** Operations on tables as users; foreign are those that did something else than they may. */
  'row-matrix': { tables: number; operations: number; users: number; foreign: number };
  'broken-rules': { rules: number; overlooked: number };
  interleaved: { calls: number; users: number; connections: number; killed: number; seen: number; foreign: number };
  'interleaved-badly': { seen: number; foreign: number };
  'cut-passwords': { bytes: number; pairs: number; refused: number; opened: number };
  'sign-in-times': { tries: number; ways: number; apartPercent: number };
  'event-loop': { signIns: number; percentile: number; delayMs: number };
  'rate-limit': { processes: number; checksEach: number; limit: number; accepted: number; refused: number };
  revocation: { rounds: number; processes: number; behind: number; accepted: number };
  'dumped-keys': { keys: number; found: number };
  'made-up-keys': { keys: number; statements: number };
  'bit-flips': { flips: number; shortestTag: number; longestTag: number; taken: number };
  rotation: { values: number; writers: number; kills: number; unreadable: number; lost: number; onOldKey: number };
  'dumped-plaintext': { marks: number; before: number; after: number };
  moved: { messages: number; mostMiB: number; peakMiB: number };
  canaries: { marks: number; calls: number; codes: number; outputs: number; found: number };
  'command-canaries': { marks: number; commands: number; codes: number; found: number };
  detector: { ways: number; missed: number };
  'many-numbers': { numbers: number; mostMs: number; ms: number };
}

export interface Recorded<Figures> {
  /** The day, UTC. */
  date: string;
  node: string;
  figures: Figures;
}

const pathOf = (name: string): string => fileURLToPath(new URL(`results/${name}.json`, import.meta.url));

/** Writes the figures of a test, in a run that is for that. */
export function recordFigures<Name extends keyof SecurityFigures>(name: Name, figures: SecurityFigures[Name]): void {
  if (process.env.MYTX_SECURITY_FIGURES !== '1') return;
  const recorded = { date: new Date().toISOString().slice(0, 10), node: process.version.slice(1), figures };
  mkdirSync(fileURLToPath(new URL('results', import.meta.url)), { recursive: true });
  writeFileSync(pathOf(name), `${JSON.stringify(recorded)}\n`);
}

export function readFigures<Name extends keyof SecurityFigures>(name: Name): Recorded<SecurityFigures[Name]> {
  return JSON.parse(readFileSync(pathOf(name), 'utf8')) as Recorded<SecurityFigures[Name]>;
}
