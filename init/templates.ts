// The text of each file that `mytx init` adds. They hold no syntax of TypeScript, so that they are JavaScript as well.

export interface TemplateFacts {
  /** Paths from the project's folder. */
  schemaFiles: readonly string[];
  /** The two commands, in the words of the project's package manager. */
  generate: string;
  migrate: string;
}

export function drizzleConfig({ schemaFiles, generate }: TemplateFacts): string {
  return `// What drizzle-kit reads: the schema files, the folder of migrations and the database.
// Without POSTGRES_URL it names no database, and \`${generate}\` needs none.

import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { defineConfig } from 'drizzle-kit';

const fromFile = existsSync('.env.local') ? parseEnv(readFileSync('.env.local', 'utf8')) : {};
const url = process.env.POSTGRES_URL ?? fromFile.POSTGRES_URL;

export default defineConfig({
  schema: [${schemaFiles.map((path) => `'./${path}'`).join(', ')}],
  out: './lib/drizzle',
  dialect: 'postgresql',
  ...(url ? { dbCredentials: { url } } : {}),
});
`;
}

export function schema({ generate, migrate }: TemplateFacts): string {
  return `// The tables of this application: those of mytx-ai, and below them your own. After a change run
// \`${generate}\`, which writes a migration into lib/drizzle, and \`${migrate}\`, which applies it.

export * from 'mytx-ai/schema';
`;
}

export function protocolsSchema(): string {
  return `// The Protocol tables of mytx-ai.

export * from 'mytx-ai/protocols-schema';
`;
}

export function queries(): string {
  return `// Every query of mytx-ai but those on protocols, and room for your own.

export * from 'mytx-ai/queries';
`;
}

export function protocolQueries(): string {
  return `// The queries of mytx-ai on protocols.

export * from 'mytx-ai/protocol-queries';
`;
}

export function migrate(facts: TemplateFacts): string {
  return `// ${facts.migrate}: applies the pending migrations of lib/drizzle, to the server of POSTGRES_URL or, without
// one, to the embedded database in \`.mytx/\`.

import { runMigrate } from 'mytx-ai/migrate';

void runMigrate();
`;
}
