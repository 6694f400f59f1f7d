// Says on stderr what a command is doing: on a terminal one line, written over and gone at the end; elsewhere plain
// lines, at most one a second. Never on stdout, which is for results.

import { type Counted, renderBar, renderCount } from './progress-bar.ts';

export interface Progress {
  /** Replaces what was said before. */
  say(message: string): void;
  /** Says how much is done of what is counted: with a bar on a terminal. */
  count(counted: Counted): void;
  /** Takes the line away, so that other text can follow; progress may go on after it. */
  clear(): void;
}

export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export function newProgress(stream: ProgressStream): Progress {
  return stream.isTTY ? rewrittenLine(stream) : plainLines(stream);
}

function rewrittenLine(stream: ProgressStream): Progress {
  const startOfLine = '\r\x1b[2K';
  let isShown = false;
  const width = (): number => (stream.columns || 80) - 1;
  const say = (message: string): void => {
    stream.write(`${startOfLine}${message.slice(0, width())}`);
    isShown = true;
  };
  return {
    say,
    count: (counted) => say(renderBar(counted, width())),
    clear(): void {
      if (isShown) stream.write(startOfLine);
      isShown = false;
    },
  };
}

const pauseMs = 1000;

/** The first message at once; of those that come within a second the last, when the second has passed. */
function plainLines(stream: ProgressStream): Progress {
  let saidAtMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const write = (message: string): void => {
    saidAtMs = performance.now();
    stream.write(`${message}\n`);
  };
  const clear = (): void => clearTimeout(timer);
  const say = (message: string): void => {
    clear();
    const leftMs = saidAtMs + pauseMs - performance.now();
    if (leftMs <= 0) write(message);
    else timer = setTimeout(write, leftMs, message).unref();
  };
  return { say, count: (counted) => say(renderCount(counted)), clear };
}
