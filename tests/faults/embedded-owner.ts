// A process that owns an embedded database, is killed and comes back: opens it, replays the ledger of those before it,
// and writes until it is ended. Run by embedded.test.ts; says where it is by lines of JSON on stdout.
// Arguments: folder, ledger, what its mix of calls depends on, and a snapshot to create the database from.

import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import { createDatabase } from '../../db/database.ts';
import { db, getTasksByUserId } from '../../db/queries.ts';
import { user } from '../../db/schema.ts';
import { CallMeter } from './call-meter.ts';
import { Ledger, readLedger } from './ledger.ts';
import { replayLedger } from './ledger-replay.ts';
import type { OwnerLine } from './owner-process.ts';
import { randomFor } from './plan.ts';
import { StallClock } from './stall-clock.ts';
import { Workload } from './workload.ts';

const [folder = '', ledgerPath = '', purpose = '', snapshotFile] = process.argv.slice(2);

function say(line: OwnerLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

say({ phase: 'opening' });
const isNew = !existsSync(`${folder}/database`);
const database = await createDatabase({
  folder,
  onProgress: (message) => say({ phase: message.startsWith('applying') ? 'migrating' : 'creating' }),
  ...(snapshotFile && isNew ? { snapshot: new Blob([readFileSync(snapshotFile)]) } : {}),
});
await database.run(async () => {
  await getTasksByUserId({ userId: randomUUID() });
  say({ phase: 'answered' });
  const lines = existsSync(ledgerPath) ? readLedger(ledgerPath) : [];
  const findings = await replayLedger(lines, async (statement) => [...(await db.execute(sql.raw(statement)))]);
  say({ phase: 'replayed', findings });
  await write();
});

/** Writes until it is killed, and says every 20 ms how much. */
async function write(): Promise<void> {
  const userIds = [randomUUID(), randomUUID()];
  await db.insert(user).values(userIds.map((id) => ({ id, email: `${id.slice(0, 30)}@example.com` })));
  const meter = new CallMeter(new StallClock(), []);
  const ledger = new Ledger(ledgerPath);
  const workload = new Workload({ meter, ledger, random: randomFor(purpose), userIds, callersForEach: 2 });
  await workload.start();
  for (;;) {
    await sleep(20);
    if (workload.figures.acknowledged > 0) say({ phase: 'writing', calls: meter.figures, writes: workload.figures });
  }
}
