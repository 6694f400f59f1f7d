// Alarms ring in their time, in order, and only while they are wanted.

import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Alarm, Alarms } from '../../../db/connection/alarms.ts';

interface Ring {
  name: string;
  afterMs: number;
}

class Called extends Alarm {
  private readonly madeAtMs = performance.now();

  constructor(private readonly call: (afterMs: number) => void) {
    super();
  }

  ring(): void {
    this.call(performance.now() - this.madeAtMs);
  }
}

function newAlarms(): { rings: Ring[]; alarm(name: string): Alarm } {
  const rings: Ring[] = [];
  return { rings, alarm: (name) => new Called((afterMs) => rings.push({ name, afterMs })) };
}

test('those with the usual time ring one after another, none before its time, and none that was cleared', async () => {
  const { rings, alarm } = newAlarms();
  const alarms = new Alarms(60);
  for (let i = 0; i < 6; i += 1) {
    const one = alarm(`${i}`);
    alarms.set(one, 60);
    if (i % 3 === 1) alarms.clear(one);
    await sleep(15);
  }
  await sleep(200);
  expect(rings.map(({ name }) => name)).toEqual(['0', '2', '3', '5']);
  for (const { afterMs } of rings) expect(afterMs).toBeGreaterThanOrEqual(59); // a timer counts whole milliseconds
});

test('another time has a timer of its own; longer than a timer can wait is for ever', async () => {
  const { rings, alarm } = newAlarms();
  const alarms = new Alarms(80);
  alarms.set(alarm('usual'), 80);
  alarms.set(alarm('sooner'), 20);
  alarms.set(alarm('never'), Number.POSITIVE_INFINITY);
  const cleared = alarm('cleared');
  alarms.set(cleared, 30);
  alarms.clear(cleared);
  await sleep(250);
  expect(rings.map(({ name }) => name)).toEqual(['sooner', 'usual']);
});

test('one that rings may set the next', async () => {
  const { rings, alarm } = newAlarms();
  const alarms = new Alarms(20);
  const second = alarm('second');
  alarms.set(new Called(() => alarms.set(second, 20)), 20);
  await sleep(200);
  expect(rings.map(({ name }) => name)).toEqual(['second']);
});

test('keeps no process alive', () => {
  const file = fileURLToPath(new URL('../../../db/connection/alarms.ts', import.meta.url));
  const script = `const { Alarm, Alarms } = await import(${JSON.stringify(file)});
    class Silent extends Alarm { ring() {} }
    new Alarms(60_000).set(new Silent(), 60_000);
    console.log('set');`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  expect(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 })).toBe('set\n');
});
