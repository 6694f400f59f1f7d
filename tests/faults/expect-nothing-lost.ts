// The claim of every injection, whatever the fault was.

import { expect } from 'vitest';
import { type InjectionResult, zeroFigures } from './injection.ts';

export function expectNothingLost(result: InjectionResult): void {
  // First what is wrong, in words: the figures alone don't say it.
  expect(result.problems.slice(0, 20)).toEqual([]);
  const figures = Object.fromEntries(zeroFigures.map((name) => [name, result[name]]));
  expect(figures).toEqual(Object.fromEntries(zeroFigures.map((name) => [name, 0])));
  expect(result.acknowledged).toBeGreaterThan(0);
}
