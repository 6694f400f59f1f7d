import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { newProgress, type ProgressStream } from '../../cli/progress.ts';

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
