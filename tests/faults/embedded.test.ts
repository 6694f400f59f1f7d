// The owner of an embedded database killed with -9: while it writes, while it creates the database, while it migrates.
// What was acknowledged is there when the next process opens it, the database is whole, and the next call works.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { dumpEmbedded, embeddedEngine } from '../../db/embedded/engine.ts';
import { expectNothingLost } from './expect-nothing-lost.ts';
import type { Injection, InjectionResult } from './injection.ts';
import { type OwnerArguments, OwnerProcess } from './owner-process.ts';
import { between, isLong, randomFor } from './plan.ts';
import { ResultBook } from './results.ts';

type Place = Omit<OwnerArguments, 'purpose'>;

const random = randomFor('embedded');
const folder = mkdtempSync(join(tmpdir(), 'mytx-faults-embedded-'));
/** A database that was created and has no table yet. */
const emptySnapshot = join(folder, 'empty.tar');
/** The database that is written to, killed and opened again all the time. */
const lasting: Place = {
  folder: join(folder, 'lasting'),
  ledger: join(folder, 'lasting.ledger'),
  snapshotFile: emptySnapshot,
};
let count = 0;

beforeAll(async () => {
  const created = join(folder, 'created');
  await (await embeddedEngine({ folder: created })).close();
  writeFileSync(emptySnapshot, Buffer.from(await (await dumpEmbedded(created)).arrayBuffer()));
});
afterAll(async () => {
  await owner?.kill();
  rmSync(folder, { recursive: true, force: true });
});

type Phase = 'opening' | 'creating' | 'migrating' | 'writing';

/** Who owns the lasting database now: each owner is the next one to be killed. */
let owner: OwnerProcess | undefined;

function start(place: Place): OwnerProcess {
  count += 1;
  return new OwnerProcess({ ...place, purpose: `owner ${count}` });
}

/** Kills the owner at a moment after it has reached a phase, and lets another one find out what is there. */
async function killAndReopen(victim: OwnerProcess, place: Place, phase: Phase, afterMs: readonly [number, number]) {
  await victim.reach(phase);
  await sleep(between(random, afterMs));
  await victim.kill();
  const heir = start(place);
  await heir.reach('writing');
  return { heir, result: toResult(victim, heir) };
}

async function killLasting(phase: 'opening' | 'writing', afterMs: readonly [number, number]): Promise<InjectionResult> {
  if (phase === 'opening') await owner?.kill();
  const victim = phase === 'writing' && owner ? owner : start(lasting);
  const { heir, result } = await killAndReopen(victim, lasting, phase, afterMs);
  owner = heir;
  return result;
}

async function killFresh(
  phase: 'creating' | 'migrating',
  afterMs: readonly [number, number],
  snapshotFile?: string,
): Promise<InjectionResult> {
  const fresh = mkdtempSync(join(folder, 'fresh-'));
  const place = {
    folder: join(fresh, 'mytx'),
    ledger: join(fresh, 'ledger'),
    ...(snapshotFile === undefined ? {} : { snapshotFile }),
  };
  const { heir, result } = await killAndReopen(start(place), place, phase, afterMs);
  await heir.kill();
  return result;
}

/** What the victim was promised, and what its heir finds. What the victim had under way is nobody's. */
function toResult(victim: OwnerProcess, heir: OwnerProcess): InjectionResult {
  const { calls, writes } = victim.last('writing') ?? heir.last('writing') ?? {};
  const after = heir.last('replayed');
  if (!after || !calls || !writes) throw new Error('the second owner did not come to its work');
  return {
    ...after.findings,
    calls: calls.calls,
    acknowledged: writes.acknowledged,
    failed: {},
    unknownThenSettled: 0,
    stale: writes.stale,
    late: calls.late,
    pending: 0,
    unexpected: calls.unexpected,
    unknownAtEnd: 0,
    unhealed: 0,
    recoveryMs: Math.round(heir.answeredAfterMs ?? Number.POSITIVE_INFINITY),
    problems: [...after.findings.problems, ...calls.problems, ...writes.problems],
  };
}

const injections: Injection[] = [
  {
    name: 'Embedded owner killed while it writes',
    sentence:
      'The process that owns an embedded database gets SIGKILL at a random moment of its writing; another one opens it.',
    times: { usual: 4, long: 22 },
    run: () => killLasting('writing', [0, 2000]),
  },
  {
    name: 'Embedded owner killed while it opens',
    sentence: 'SIGKILL while the database is opened, also while it recovers from the SIGKILL before.',
    times: { usual: 2, long: 10 },
    run: () => killLasting('opening', [0, 1500]),
  },
  {
    name: 'Embedded owner killed while it creates the database',
    sentence: 'SIGKILL at a random moment of the first initdb; the next process creates it.',
    times: { usual: 1, long: 8 },
    run: () => killFresh('creating', [0, 4000]),
  },
  {
    name: 'Embedded owner killed while it migrates',
    sentence: 'SIGKILL while the migrations are applied to a new database; the next process applies what is missing.',
    times: { usual: 1, long: 8 },
    run: () => killFresh('migrating', [0, 200], emptySnapshot),
  },
];

describe('the embedded database', { timeout: 120_000 }, () => {
  const timesOf = ({ times }: Injection): number => (isLong ? times.long : times.usual);
  const planned = injections.reduce((sum, injection) => sum + timesOf(injection), 0);
  const book = new ResultBook(injections, planned);
  afterAll(() => {
    const { version } = JSON.parse(
      readFileSync(new URL('../../node_modules/@electric-sql/pglite/package.json', import.meta.url), 'utf8'),
    ) as { version: string };
    book.close('embedded', `Embedded (PGlite ${version})`, 0);
  });

  for (const injection of injections) {
    const times = timesOf(injection);
    for (let i = 1; i <= times; i += 1) {
      test(`${injection.name}, ${i} of ${times}`, async () => {
        const result = await injection.run(undefined as never);
        book.add(injection, result);
        expectNothingLost(result, injection.name.endsWith('writes'));
      });
    }
  }
});
