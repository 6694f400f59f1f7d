// What an injection is, and what is known of it afterwards. A fault is one entry of a list: server-faults.ts,
// network-faults.ts, storms.ts, full-disk.ts.

import type { MytxErrorCode } from '../../db/errors.ts';
import type { Scene } from './scene.ts';

/** Something that goes wrong under a workload, and is good again some time later. */
export interface Fault {
  /** The name in the table. */
  name: string;
  /** What is done, for the page: a sentence. */
  sentence: string;
  /** Errors that a call may meet. Anything else fails the test. */
  codes: readonly MytxErrorCode[];
  /** How long it lasts, at least and at most. */
  lastsMs: readonly [number, number];
  /** Whether no call can succeed while it lasts: then checkHealth must say so. */
  isTotal: boolean;
  /** How often it is injected, in the usual run and in the long one. */
  times: { usual: number; long: number };
  /** Connections that it breaks by itself while they are good, and that may be opened anew beside the 20 in 10 s. */
  brokenConnections?(): number;
  /** Whether the page has a picture of it. */
  isPictured?: true;
  /** Begins. @returns what makes it good again */
  begin(scene: Scene): Promise<() => Promise<void>>;
}

/** Acknowledged writes over the time of an injection. */
export interface Timeline {
  stepMs: number;
  /** How many in each step. */
  acknowledged: number[];
  /** The steps in which the fault began, and in which it was over. */
  beganIn: number;
  healedIn: number;
}

/** What one injection came to. What `expectNothingLost` looks at must be 0. */
export interface InjectionResult {
  calls: number;
  acknowledged: number;
  failed: Record<string, number>;
  unknownThenSettled: number;
  lost: number;
  doubled: number;
  half: number;
  refusedButThere: number;
  disordered: number;
  stale: number;
  late: number;
  pending: number;
  unexpected: number;
  unknownAtEnd: number;
  /** What was not as it had been behind the fault: the next call, the pool, health, the number of connections. */
  unhealed: number;
  /** In percent of its deadline: the slowest call. */
  slowestPercent?: number;
  /** From the end of the fault to the first answer. */
  recoveryMs?: number;
  /** Most connections that the proxy saw in 10 seconds. */
  connectsIn10s?: number;
  /** Transactions that were run again because they met others. */
  repeated?: number;
  timeline?: Timeline;
  problems: string[];
}

/** An entry of the list as it is run: its result is checked by the test that runs it. */
export interface Injection {
  name: string;
  sentence: string;
  times: { usual: number; long: number };
  /** Why it can't be injected here. */
  missing?: string;
  run(scene: Scene): Promise<InjectionResult>;
}

/** The figures that must be 0 whatever the fault was. */
export const zeroFigures = [
  'lost',
  'doubled',
  'half',
  'refusedButThere',
  'disordered',
  'stale',
  'late',
  'pending',
  'unexpected',
  'unknownAtEnd',
  'unhealed',
] as const;
