// A process that checks API keys: as many at once as it is told, or one after the other until it is told another.

import { openDatabase, verifyApiKey } from '../../../db/queries.ts';

/** What the process is told. */
export type Order =
  | { checkAtOnce: { key: string; times: number } }
  /** From now on, at this rate; the checks of the key before are reported. */
  | { checkOn: { key: string | null; everyMs: number } };

export interface Check {
  /** By the machine's clock that only runs forward, in nanoseconds: the same for all processes. */
  beganNs: string;
  outcome: string;
}

export type Answer = 'ready' | { outcomes: Record<string, number> } | { checks: Check[] };

const say = (answer: Answer): void => void process.send?.(answer);

async function outcomeOf(key: string): Promise<string> {
  const verdict = await verifyApiKey(key);
  return verdict.ok ? 'ok' : verdict.reason;
}

async function checkAtOnce(key: string, times: number): Promise<void> {
  const outcomes: Record<string, number> = {};
  const all = await Promise.all(Array.from({ length: times }, () => outcomeOf(key)));
  for (const outcome of all) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  say({ outcomes });
}

let current: { timer: NodeJS.Timeout | undefined; running: Promise<void>[]; checks: Check[] } | undefined;

async function checkOn(key: string | null, everyMs: number): Promise<void> {
  clearInterval(current?.timer);
  const before = current;
  const next: NonNullable<typeof current> = { timer: undefined, running: [], checks: [] };
  current = next;
  if (key !== null) {
    const check = async (): Promise<void> => {
      const beganNs = process.hrtime.bigint().toString();
      next.checks.push({ beganNs, outcome: await outcomeOf(key) });
    };
    next.timer = setInterval(() => next.running.push(check()), everyMs);
  }
  await Promise.all(before?.running ?? []);
  say({ checks: before?.checks ?? [] });
}

process.on('message', (order: Order) => {
  if ('checkAtOnce' in order) void checkAtOnce(order.checkAtOnce.key, order.checkAtOnce.times);
  else void checkOn(order.checkOn.key, order.checkOn.everyMs);
});
process.on('disconnect', () => process.exit());
await openDatabase({ url: process.env.TEST_URL as string, poolSize: 5 });
say('ready');
