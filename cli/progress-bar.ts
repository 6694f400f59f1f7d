// How much of a long work is done, as a line: a bar, how many, how fast, and how long it still takes.

export interface Counted {
  /** What is counted, such as 'messages'. */
  what: string;
  done: number;
  total: number;
  elapsedMs: number;
}

/** Sooner, a rate says how long it took to begin. */
const soonestMs = 1000;
const bar = { longest: 30, shortest: 10 };

/**
 * A line for a terminal, never wider than `width`; the bar is what becomes shorter, and is left out where it says
 * nothing any more.
 * @example renderBar({ what: 'messages', done: 5_000, total: 20_000, elapsedMs: 2_500 }, 79)
 * // '[####---------------]  25 %, 5,000 of 20,000 messages, 2,000 a second, 8 s left'
 */
export function renderBar(counted: Counted, width: number): string {
  const share = shareOf(counted);
  const facts = `${percentOf(share).padStart(5)}, ${factsOf(counted)}`;
  const cells = Math.min(bar.longest, width - facts.length - '[] '.length);
  if (cells < bar.shortest) return facts.trimStart().slice(0, width);
  const full = Math.floor(cells * share);
  return `[${'#'.repeat(full)}${'-'.repeat(cells - full)}] ${facts}`;
}

/** A line for a log. */
export function renderCount(counted: Counted): string {
  return `${percentOf(shareOf(counted))}, ${factsOf(counted)}`;
}

function shareOf({ done, total }: Counted): number {
  return total > 0 ? Math.min(1, Math.max(0, done / total)) : 1;
}

/** Rounded down: 100 % is said when all is done. */
function percentOf(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

function factsOf({ what, done, total, elapsedMs }: Counted): string {
  const count = `${grouped(done)} of ${grouped(total)} ${what}`;
  if (done <= 0 || elapsedMs < soonestMs) return count;
  const perMs = done / elapsedMs;
  return `${count}, ${grouped(Math.round(perMs * 1000))} a second, ${duration((total - done) / perMs)} left`;
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
