// The detector of canaries finds each of them however it is spelled, and whatever it was said with is heard: what finds
// nothing in the tests with canaries would have found something.

import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { allSpellingsOf, Detector, newCanaries } from './canaries.ts';
import { Listener } from './db/canary-listener.ts';
import { recordFigures } from './security/figures.ts';

const texts = newCanaries();
const canaries = Object.entries(texts).map(([name, text]) => ({ name, text }));
const detector = new Detector(canaries);
const namesIn = (said: string): string[] => detector.find(said).map(({ canary }) => canary);

test('there are at least 20 canaries, none a part of another', () => {
  expect(canaries.length).toBeGreaterThanOrEqual(20);
  for (const { text } of canaries) expect(canaries.filter((other) => other.text.includes(text))).toHaveLength(1);
});

test.each(canaries)('finds $name in whatever spelling, in either case, and as a part', ({ name, text }) => {
  for (const [, spelled] of allSpellingsOf(text)) {
    for (const said of [spelled, spelled.toUpperCase(), `x${spelled}y`, spelled.slice(3)]) {
      expect(new Set(namesIn(said))).toEqual(new Set([name]));
    }
  }
  expect(namesIn(text.slice(5, 28))).toContain(name);
});

test('finds nothing where there is none', () => {
  expect(namesIn(inspect({ ...newCanaries(), process: process.versions }))).toEqual([]);
});

describe('the listener', () => {
  const { argument, encryptionKey } = texts;
  const listener = new Listener();
  beforeEach(() => listener.start());
  afterEach(() => listener.stop());

  const ways: Record<string, () => unknown> = {
    'console.log of an object': () => console.log('a value', { argument }),
    'console.error of an error with a cause': () => console.error(new Error('failed', { cause: { argument } })),
    'stdout in upper case': () => process.stdout.write(argument.toUpperCase()),
    'stderr as bytes': () => process.stderr.write(Buffer.from(`said: ${argument}`)),
    'a Buffer': () => console.warn(Buffer.from(argument)),
    'a Uint8Array': () => console.warn(new Uint8Array(Buffer.from(argument))),
    'a Buffer as JSON': () => console.warn(JSON.stringify(Buffer.from(argument))),
    'base64 behind something else': () => console.info(Buffer.from(`xx${argument}`).toString('base64url')),
    'hexadecimal digits': () => console.info(Buffer.from(argument).toString('hex')),
    'JSON in JSON': () => console.info(JSON.stringify({ text: JSON.stringify({ argument }) })),
    'the bytes of a key': () => console.info(Buffer.from(encryptionKey, 'base64')),
    'a part of a URL': () => console.info(encodeURIComponent(encryptionKey)),
    'a log event': () => listener.onStatement({ statement: `select '${argument}'`, target: 't', durationMs: 1 }),
    'an error’s hint': () => listener.hearError(Object.assign(new Error('x'), { hint: argument })),
    'an error’s details': () => listener.hearError(Object.assign(new Error('x'), { details: [[[[[{ argument }]]]]] })),
    'a hidden property': () => listener.hearError(Object.defineProperty(new Error('x'), 'h', { value: argument })),
    'a cause’s cause': () =>
      listener.hearError(new Error('x', { cause: new Error('y', { cause: new Error(argument) }) })),
    'a warning of the process': () => process.emitWarning(argument),
  };

  let heard = 0;
  afterAll(() => {
    const all = Object.keys(ways).length;
    recordFigures('detector', { ways: all, missed: all - heard });
  });

  test.each(Object.entries(ways))('hears %s', async (_, say) => {
    say();
    await sleep(5); // a warning comes a moment later
    listener.stop();
    expect(listener.find(detector).map(({ canary }) => canary)).toContainEqual(
      expect.stringMatching(/^(argument|encryptionKey)$/),
    );
    heard += 1;
  });
});
