// npx tsx db/migrate.ts: applies the pending migrations of lib/drizzle, to the server of POSTGRES_URL or, without
// one, to the embedded database in `.mytx/`. Needs no keyboard. Exit codes: 0 done or nothing to do, 1 failed,
// 3 refused as unsafe, 4 another deploy holds the lock, 5 not reachable.

import { pathToFileURL } from 'node:url';
import { migrate } from './opening.ts';

const exitCodes: Record<string, number> = {
  PLAINTEXT_REFUSED: 3,
  POOLER_REFUSED: 3,
  POOLER_UNDECLARED: 3,
  MIGRATION_LOCK_HELD: 4,
  EMBEDDED_IN_USE: 4,
  EMBEDDED_LOST: 4,
  UNREACHABLE: 5,
  CONNECTION_LOST: 5,
  MIGRATION_INTERRUPTED: 5,
};

/** What the file does when it is run: prints, sets the exit code, never rejects. For an application's own db/migrate.ts. */
export async function runMigrate(): Promise<void> {
  try {
    const { applied, total, warnings, notes } = await migrate(
      { onProgress: (message) => console.error(message) },
      {
        onTarget: (target) => console.log(`target: ${target}`),
        onMigration: ({ name, number, of }) => console.log(`applying ${name} (${number} of ${of})`),
        onLockWait: ({ pid, waitedMs }) =>
          console.error(
            `waiting for another deploy (server process ${pid ?? 'unknown'}), ${Math.round(waitedMs / 1000)} s`,
          ),
      },
    );
    for (const warning of [...warnings, ...notes]) console.error(`warning: ${warning}`);
    console.log(
      applied.length === 0
        ? `nothing to do: all ${total} migrations are applied`
        : `applied ${applied.length} of ${total} migrations`,
    );
  } catch (error) {
    const { code, message, hint } = error as { code?: string; message?: string; hint?: string };
    console.error(`error ${code ?? ''}: ${message ?? error}${hint ? `\nnext: ${hint}` : ''}`);
    process.exitCode = exitCodes[code ?? ''] ?? 1;
  }
}

// Not awaited: a module that awaits can't be loaded by require, which is what tsx does in a CommonJS project.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) void runMigrate();
