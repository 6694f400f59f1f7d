// The claim of every injection, whatever the fault was.

import { expect } from 'vitest';
import { type InjectionResult, zeroFigures } from './injection.ts';

/** @param hasWritten whether anything must have been acknowledged: not by a process that is killed too soon */
export function expectNothingLost(result: InjectionResult, hasWritten = true): void {
  // First what is wrong, in words: the figures alone don't say it.
  expect(result.problems.slice(0, 20)).toEqual([]);
  const figures = Object.fromEntries(zeroFigures.map((name) => [name, result[name]]));
  expect(figures).toEqual(Object.fromEntries(zeroFigures.map((name) => [name, 0])));
  if (hasWritten) expect(result.acknowledged).toBeGreaterThan(0);
}
