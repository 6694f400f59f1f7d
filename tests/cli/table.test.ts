import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { renderTable } from '../../cli/table.ts';

// What the machine that runs the tests wants is not the question.
beforeEach(() => {
  for (const name of ['NO_COLOR', 'FORCE_COLOR', 'NODE_DISABLE_COLORS']) vi.stubEnv(name, undefined);
});
afterEach(() => void vi.unstubAllEnvs());

const header = ['table', 'rows'];
const rows = [
  ['Message', 2_500],
  ['User', 3],
] as const;

test('numbers are grouped and stand at the right; no line ends with spaces', () => {
  expect(renderTable(header, rows, new PassThrough())).toEqual(['table     rows', 'Message  2,500', 'User         3']);
  expect(renderTable(['name', 'note'], [['a', 'b']], new PassThrough())).toEqual(['name  note', 'a     b']);
});

test('a table without rows is its header', () => {
  expect(renderTable(header, [], new PassThrough())).toEqual(['table  rows']);
});

test('the header is faint on a terminal only', () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true, getColorDepth: () => 8, hasColors: () => true });
  const [first, second] = renderTable(header, rows, terminal);
  expect([first, second]).toEqual(['\x1b[2mtable     rows\x1b[22m', 'Message  2,500']);
});
