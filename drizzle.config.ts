// What drizzle-kit reads: the schema files, the folder of migrations and the database.
// Without POSTGRES_URL it names no database: `generate` and `drop` need none, and the embedded one
// belongs to the process that has it open.

import { defineConfig } from 'drizzle-kit';
import { readEnvironment } from './db/environment.ts';

const { POSTGRES_URL: url } = readEnvironment();

export default defineConfig({
  schema: ['./db/schema.ts', './db/protocols-schema.ts'],
  out: './lib/drizzle',
  dialect: 'postgresql',
  ...(url ? { dbCredentials: { url } } : {}),
});
