// What a deploy tells while it is under way, for who shows it. Nothing in it decides anything.

import type { Finding } from './lint/finding.ts';
import type { StepKind } from './steps/steps.ts';

export type DeployEvent =
  /** Another deploy holds the lock. */
  | { type: 'lock-wait'; pid: number | undefined; waitedMs: number }
  /** What the lint found in what is pending, where it found anything: before the first file. */
  | { type: 'lint'; errors: number; warnings: number; findings: readonly Finding[] }
  | { type: 'migration'; name: string; number: number; of: number; steps: number }
  | { type: 'step'; migration: string; step: number; of: number; kind: StepKind; statement: string; isResumed: boolean }
  /** Somebody else held what a statement needed for longer than `lock_timeout`: it is tried again after a pause. */
  | { type: 'lock-retry'; migration: string; step: number; attempt: number; pauseMs: number; blockers: number[] }
  | { type: 'progress'; migration: string; step: number; what: string; done: number; total: number; elapsedMs: number }
  /** A backfill waits for others: for who waits for its locks, or for a replica that is behind. */
  | { type: 'throttle'; migration: string; step: number; why: string; pauseMs: number }
  /** Something that an interrupted run left was put right. */
  | { type: 'repair'; migration: string; step: number; what: string }
  | { type: 'step-done'; migration: string; step: number; tookMs: number }
  | { type: 'migration-done'; name: string; tookMs: number };

export type OnEvent = (event: DeployEvent) => void;
