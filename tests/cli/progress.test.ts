import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { newProgress, type ProgressStream } from '../../cli/progress.ts';
import { renderBar, renderCount } from '../../cli/progress-bar.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function newStream(extra: Partial<ProgressStream> = {}): ProgressStream & { text: string } {
  return {
    text: '',
    ...extra,
    write(text: string) {
      this.text += text;
    },
  };
}

test('elsewhere than on a terminal there is at most one line a second, and the last is not lost', () => {
  const stream = newStream();
  const progress = newProgress(stream);
  for (const step of ['a', 'b', 'c']) progress.say(step);
  expect(stream.text).toBe('a\n');
  vi.advanceTimersByTime(999);
  expect(stream.text).toBe('a\n');
  vi.advanceTimersByTime(1);
  expect(stream.text).toBe('a\nc\n');
  vi.advanceTimersByTime(2_000);
  progress.say('d');
  expect(stream.text).toBe('a\nc\nd\n');
});

test('what is over is not said any more', () => {
  const stream = newStream();
  const progress = newProgress(stream);
  progress.say('a');
  progress.say('b');
  progress.clear();
  vi.advanceTimersByTime(5_000);
  expect(stream.text).toBe('a\n');
});

test('on a terminal one line is written over, never wider than the terminal, and taken away', () => {
  const stream = newStream({ isTTY: true, columns: 6 });
  const progress = newProgress(stream);
  progress.say('loading');
  progress.say('done');
  progress.clear();
  progress.clear();
  expect(stream.text).toBe('\r\x1b[2Kloadi\r\x1b[2Kdone\r\x1b[2K');
});

const counted = { what: 'messages', done: 5_000, total: 20_000, elapsedMs: 2_500 };

test('a bar says how much, how many, how fast and how long it still takes', () => {
  expect(renderBar(counted, 100)).toBe(
    '[#######-----------------------]  25 %, 5,000 of 20,000 messages, 2,000 a second, 8 s left',
  );
  expect(renderCount(counted)).toBe('25 %, 5,000 of 20,000 messages, 2,000 a second, 8 s left');
});

test.each([
  [0, 2_000, '[------------------------------]   0 %, 0 of 20,000 messages'],
  [5_000, 999, '[#######-----------------------]  25 %, 5,000 of 20,000 messages'],
  [19_999, 10_000, '[#############################-]  99 %, 19,999 of 20,000 messages, 2,000 a second, 1 s left'],
  [20_000, 10_000, '[##############################] 100 %, 20,000 of 20,000 messages, 2,000 a second, 0 s left'],
])('of 20,000 at %i', (done, elapsedMs, line) => {
  expect(renderBar({ ...counted, done, elapsedMs }, 120)).toBe(line);
});

test.each([
  [60_000, 12_000, '40 s left'],
  [60_000, 4_000, '4 min 0 s left'],
  [3_600_000, 1_000, '19 h 0 min left'],
])('after %i ms for %i: %s', (elapsedMs, done, left) => {
  expect(renderBar({ ...counted, done, elapsedMs }, 120)).toMatch(new RegExp(`, ${left}$`));
});

test('the bar becomes shorter with the terminal, goes, and the line is never wider', () => {
  for (let width = 120; width > 0; width -= 1) expect(renderBar(counted, width).length).toBeLessThanOrEqual(width);
  expect(renderBar(counted, 72)).toMatch(/^\[#+-+\] {2}25 %/);
  expect(renderBar(counted, 60)).toBe('25 %, 5,000 of 20,000 messages, 2,000 a second, 8 s left');
});

test('a count is a bar on a terminal, and a line elsewhere', () => {
  const terminal = newStream({ isTTY: true, columns: 101 });
  newProgress(terminal).count(counted);
  expect(terminal.text).toBe(`\r\x1b[2K${renderBar(counted, 100)}`);
  const file = newStream();
  const progress = newProgress(file);
  progress.count(counted);
  progress.count({ ...counted, done: 6_000 });
  expect(file.text).toBe(`${renderCount(counted)}\n`);
});
