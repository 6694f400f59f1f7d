// A disk that fills up: the tables are on a small file system of their own, which a ballast file fills to the last
// byte, and which is free again when the ballast goes. Only where this process may mount one: elsewhere it says why not.
// The write-ahead log is on another disk: where that one is full PostgreSQL ends itself, which is a server killed.

import { execFileSync } from 'node:child_process';
import { chownSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MytxError } from '../../db/errors.ts';
import { addTask, getTasksByUserId } from '../../db/queries.ts';
import type { Fault, Injection, InjectionResult } from './injection.ts';
import { underWorkload } from './round.ts';
import { openScene, type Scene } from './scene.ts';

const sizeMb = 40;

interface SmallDisk {
  folder: string;
  fill(): void;
  free(): void;
  remove(): void;
}

/** Why there can be no small disk here; undefined where there can. */
function findObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux has tmpfs';
  if (process.getuid?.() !== 0) return 'only root may mount a small disk';
  try {
    mountSmallDisk(process.cwd()).remove();
    return undefined;
  } catch (error) {
    return `a small disk can't be mounted here (${(error as Error).message.split('\n')[0]})`;
  }
}

/** @param owner a path whose owner the disk is to have */
function mountSmallDisk(owner: string): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'mytx-small-disk-'));
  const { uid, gid } = statSync(owner);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m,mode=755,uid=${uid},gid=${gid}`, 'tmpfs', folder], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
  const tables = join(folder, 'tables');
  mkdirSync(tables, { mode: 0o700 });
  chownSync(tables, uid, gid);
  const ballast = join(folder, 'ballast');
  return {
    folder: tables,
    fill: () => fillUp(ballast),
    free: () => rmSync(ballast, { force: true }),
    remove: () => {
      // What a session still has open keeps the file system until it ends: hence lazily.
      execFileSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true });
    },
  };
}

function fillUp(ballast: string): void {
  const file = openSync(ballast, 'w');
  try {
    for (const chunk of [Buffer.alloc(1024 * 1024), Buffer.alloc(4096)]) {
      while (hasRoomFor(file, chunk));
    }
  } finally {
    closeSync(file);
  }
}

function hasRoomFor(file: number, chunk: Buffer): boolean {
  try {
    return writeSync(file, chunk) === chunk.length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}

function fullDisk(disk: SmallDisk): Fault {
  return {
    name,
    sentence,
    codes: ['STATEMENT_FAILED'],
    lastsMs: [600, 1500],
    isTotal: false,
    times,
    begin: async ({ direct, addUsers }) => {
      const [userId = ''] = await addUsers(1);
      const before = await startTime(direct);
      disk.fill();
      return async () => {
        const failure = await writeUntilItFails(userId);
        if (failure?.details.sqlState !== '53100') throw new Error(`a full disk is ${JSON.stringify(failure)}`);
        await getTasksByUserId({ userId }); // reads go on
        disk.free();
        if ((await startTime(direct)) !== before) throw new Error('the server was started anew');
      };
    },
  };
}

/** A few writes still find room in pages that are there. */
async function writeUntilItFails(userId: string): Promise<MytxError | undefined> {
  for (let i = 0; i < 500; i += 1) {
    try {
      await addTask({ userId, description: 'x'.repeat(1000) });
    } catch (error) {
      return error as MytxError;
    }
  }
  return undefined;
}

async function startTime(direct: Scene['direct']): Promise<string> {
  const [row] = await direct((sql) => sql.unsafe('select pg_postmaster_start_time()::text as started'));
  return row?.started as string;
}

const name = 'Disk full';
const sentence =
  'The file system of the tables has no byte left. Writes fail with a typed error, reads go on, and with room again so do writes, without a restart.';
const times = { usual: 1, long: 5 };

/** The disk is mounted for each injection, and a database made on it. */
export function fullDiskInjection(): Injection {
  const missing = findObstacle();
  const run = async ({ server, random }: Scene): Promise<InjectionResult> => {
    const disk = mountSmallDisk(server.folder);
    try {
      const scene = await openScene(server, random, { tablespaceFolder: disk.folder });
      try {
        return await underWorkload(fullDisk(disk)).run(scene);
      } finally {
        await scene.close();
      }
    } finally {
      disk.remove();
    }
  };
  return { name, sentence, times, run, ...(missing === undefined ? {} : { missing }) };
}
