// Times every call of a workload against its deadline, counts what came of it, and finds errors that nobody expected.

import { MytxError, type MytxErrorCode } from '../../db/errors.ts';
import type { StallClock } from './stall-clock.ts';

/** A deadline holds with 10 % on top, and what the operating system's timers are late by. */
const tolerance = 1.1;
const timerMs = 15;

export interface CallFigures {
  calls: number;
  /** Calls that failed, by the code of their error. */
  failed: Record<string, number>;
  /** Calls that settled later than their deadline allows; to be 0. */
  late: number;
  /** Calls that have not settled; to be 0 at the end. */
  pending: number;
  /** The call that came closest to its deadline, or passed it, in percent of it. */
  slowestPercent: number;
  /** Errors that are none of ours, or have a code that this fault must not cause; to be 0. */
  unexpected: number;
  problems: string[];
}

export class CallMeter {
  readonly figures: CallFigures = {
    calls: 0,
    failed: {},
    late: 0,
    pending: 0,
    slowestPercent: 0,
    unexpected: 0,
    problems: [],
  };

  constructor(
    private readonly clock: StallClock,
    /** The codes that may be met now. */
    private readonly expected: readonly MytxErrorCode[],
  ) {}

  /** Runs a call that is to settle within `deadlineMs`. Its result or error is the caller's. */
  async time<T>(name: string, deadlineMs: number, call: () => Promise<T>): Promise<T> {
    const { figures, clock } = this;
    const startMs = clock.now();
    figures.calls += 1;
    figures.pending += 1;
    try {
      return await call();
    } catch (error) {
      this.#countFailure(name, error);
      throw error;
    } finally {
      figures.pending -= 1;
      this.#compare(name, clock.now() - startMs, deadlineMs);
    }
  }

  #compare(name: string, tookMs: number, deadlineMs: number): void {
    const { figures } = this;
    figures.slowestPercent = Math.max(figures.slowestPercent, Math.round((tookMs / deadlineMs) * 100));
    if (tookMs <= deadlineMs * tolerance + timerMs) return;
    figures.late += 1;
    figures.problems.push(`late: ${name} took ${Math.round(tookMs)} ms of ${deadlineMs}`);
  }

  #countFailure(name: string, error: unknown): void {
    const { figures } = this;
    const code = error instanceof MytxError ? error.code : 'none';
    figures.failed[code] = (figures.failed[code] ?? 0) + 1;
    if (error instanceof MytxError && (this.expected as readonly string[]).includes(code)) return;
    figures.unexpected += 1;
    figures.problems.push(`unexpected: ${name}: ${describe(error)}`);
  }
}

function describe(error: unknown): string {
  if (error instanceof MytxError) return JSON.stringify({ ...error.toJSON(), cause: String(error.cause) });
  return error instanceof Error ? String(error.stack) : String(error);
}
