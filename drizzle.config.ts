// What drizzle-kit reads: the schema files, the folder of migrations and the database.
// Without POSTGRES_URL it names no database: `generate` and `drop` need none, and the embedded one
// belongs to the process that has it open.

import { defineConfig } from 'drizzle-kit';
import { readEnvironment } from './db/environment.ts';

const { POSTGRES_URL: url } = readEnvironment();

/** drizzle-kit's driver looks for a Unix socket in `host`, not in the URL's parameter of that name. */
function credentialsOf(text: string): { url: string } | { host: string; user: string; database: string } {
  if (!URL.canParse(text)) return { url: text };
  const { searchParams, username, pathname } = new URL(text);
  const host = searchParams.get('host');
  return host?.startsWith('/') ? { host, user: username, database: pathname.slice(1) } : { url: text };
}

export default defineConfig({
  schema: ['./db/schema.ts', './db/protocols-schema.ts'],
  out: './lib/drizzle',
  dialect: 'postgresql',
  ...(url ? { dbCredentials: credentialsOf(url) } : {}),
});
