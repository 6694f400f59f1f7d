// Drizzle projects as public repositories lay them out, each as the files it consists of. They are written to a
// temporary folder, where neither this project's compiler nor its configuration is in the way.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

export type Files = Readonly<Record<string, string>>;

const nodeModules = fileURLToPath(new URL('../../node_modules', import.meta.url));
const folders: string[] = [];

/** Writes a project into a new folder, with this project's packages. Call it inside a test; it is deleted behind it all. */
export function writeProject(files: Files): string {
  const folder = mkdtempSync(join(tmpdir(), 'mytx-layout-'));
  folders.push(folder);
  addFiles(folder, files);
  symlinkSync(nodeModules, join(folder, 'node_modules'));
  return folder;
}

export function addFiles(folder: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

export function deleteProjectsAfterwards(): void {
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
}

const tableFile = (name: string): string =>
  `import { pgTable, text, uuid } from 'drizzle-orm/pg-core';
export const ${name} = pgTable('${name}', { id: uuid().primaryKey(), name: text().notNull() });
`;

/** A project on a folder of PGlite, `data`, as Drizzle's documentation has it; with migrations in its folder `drizzle`. */
export function pgliteProject(migrations: Readonly<Record<string, string>>, url = './data'): Files {
  return {
    'package.json': '{ "name": "notes", "type": "module" }',
    'drizzle.config.ts': `
      import { defineConfig } from 'drizzle-kit';
      export default defineConfig({
        dialect: 'postgresql',
        driver: 'pglite',
        schema: './src/schema.ts',
        dbCredentials: { url: '${url}' },
      });`,
    'src/schema.ts': tableFile('note'),
    ...migrationFiles(migrations),
  };
}

/** Migrations as Drizzle 0.45 lays them out, a second apart. */
export function migrationFiles(migrations: Readonly<Record<string, string>>): Files {
  const entries = Object.keys(migrations).map((tag, idx) => ({
    idx,
    version: '7',
    when: 1_700_000_000_000 + 1000 * idx,
    tag,
    breakpoints: true,
  }));
  return {
    'drizzle/meta/_journal.json': JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
    ...Object.fromEntries(Object.entries(migrations).map(([tag, sql]) => [`drizzle/${tag}.sql`, sql])),
  };
}

export interface Layout {
  title: string;
  files: Files;
  /** Folders to look from; the first is where drizzle-kit is run. */
  from: readonly string[];
  /** `--config`, relative to the first of `from`. */
  config?: string;
  /** Variables that are not in a file. */
  env?: Readonly<Record<string, string>>;
  /** Relative to the project's folder. */
  expected: {
    root: string;
    configFile: string;
    migrationsFolder: string;
    schemaFiles: readonly string[];
    history?: { schema: string; table: string };
    url?: string;
    embeddedFolder?: string;
  };
  /** Why drizzle-kit's generate does not run on it. */
  notGenerated?: string;
}

const url = 'postgres://app:secret@localhost:5432/app';

export const layouts: readonly Layout[] = [
  {
    title: 'a package of a monorepo, with a folder of schema files',
    files: {
      'package.json': '{ "name": "shop", "private": true, "workspaces": ["apps/*", "packages/*"] }',
      'packages/db/package.json': '{ "name": "@shop/db", "type": "module" }',
      'packages/db/drizzle.config.ts': `
        import { defineConfig } from 'drizzle-kit';
        export default defineConfig({
          dialect: 'postgresql',
          schema: './src/schema',
          dbCredentials: { url: process.env.DATABASE_URL! },
          strict: true,
        });`,
      'packages/db/src/schema/users.ts': tableFile('users'),
      'packages/db/src/schema/posts.ts': tableFile('posts'),
      'packages/db/src/schema/parts/tags.ts': tableFile('tags'),
    },
    from: ['packages/db', 'packages/db/src/schema', 'packages/db/src'],
    env: { DATABASE_URL: url },
    expected: {
      root: 'packages/db',
      configFile: 'packages/db/drizzle.config.ts',
      migrationsFolder: 'packages/db/drizzle',
      schemaFiles: ['packages/db/src/schema/posts.ts', 'packages/db/src/schema/users.ts'],
      url,
    },
  },
  {
    title: 'Next.js: path aliases, a checked environment, a list of schema files',
    files: {
      'package.json': '{ "name": "web" }',
      'tsconfig.json': `{
        // Next.js writes this file, comments and all.
        "compilerOptions": { "module": "esnext", "moduleResolution": "bundler", "paths": { "@/*": ["./src/*"] } },
      }`,
      'drizzle.config.ts': `
        import type { Config } from 'drizzle-kit';
        import { env } from '@/env';
        export default {
          dialect: 'postgresql',
          schema: ['./src/db/schema/auth.ts', './src/db/schema/billing.ts'],
          out: './src/db/migrations',
          dbCredentials: { url: env.DATABASE_URL },
        } satisfies Config;`,
      'src/env.ts': `
        import type { Env } from './env-schema';
        if (!process.env.DATABASE_URL) throw new Error('DATABASE_URL is not set');
        export const env: Env = { DATABASE_URL: process.env.DATABASE_URL };`,
      'src/env-schema.ts': 'export interface Env { DATABASE_URL: string }',
      'src/db/schema/auth.ts': tableFile('accounts'),
      'src/db/schema/billing.ts': tableFile('invoices'),
    },
    from: ['.', 'src/db/schema'],
    env: { DATABASE_URL: url },
    expected: {
      root: '.',
      configFile: 'drizzle.config.ts',
      migrationsFolder: 'src/db/migrations',
      schemaFiles: ['src/db/schema/auth.ts', 'src/db/schema/billing.ts'],
      url,
    },
  },
  {
    title: 'SST: a pattern for *.sql.ts, credentials in parts',
    files: {
      'package.json': '{ "name": "core", "type": "module" }',
      'drizzle.config.ts': `
        import { defineConfig } from 'drizzle-kit';
        import { Resource } from './resource';
        export default defineConfig({
          dialect: 'postgresql',
          schema: ['./src/**/*.sql.ts'],
          out: './migrations/',
          dbCredentials: {
            host: Resource.Postgres.host,
            port: Resource.Postgres.port,
            user: Resource.Postgres.username,
            password: Resource.Postgres.password,
            database: Resource.Postgres.database,
            ssl: { rejectUnauthorized: false },
          },
        });`,
      'resource.ts': `
        export const Resource = {
          Postgres: { host: 'db.example.com', port: 5433, username: 'app', password: 'p@ss/word', database: 'shop' },
        };`,
      'src/user/user.sql.ts': tableFile('users'),
      'src/order/order.sql.ts': tableFile('orders'),
      'src/order/order.ts': 'export {};',
      'src/root.sql.ts': tableFile('roots'),
    },
    from: ['.', 'src/order'],
    expected: {
      root: '.',
      configFile: 'drizzle.config.ts',
      migrationsFolder: 'migrations',
      schemaFiles: ['src/order/order.sql.ts', 'src/root.sql.ts', 'src/user/user.sql.ts'],
      url: 'postgres://app:p%40ss%2Fword@db.example.com:5433/shop?sslmode=require',
    },
  },
  {
    title: 'a configuration in JSON',
    files: {
      'package.json': '{ "name": "worker" }',
      'drizzle.config.json': '{ "dialect": "postgresql", "schema": "./db/schema.ts", "out": "./db/migrations" }',
      'db/schema.ts': tableFile('jobs'),
    },
    from: ['.', 'db'],
    expected: {
      root: '.',
      configFile: 'drizzle.config.json',
      migrationsFolder: 'db/migrations',
      schemaFiles: ['db/schema.ts'],
    },
  },
  {
    title: 'CommonJS, and the table of the history in another schema',
    files: {
      'package.json': '{ "name": "api", "type": "commonjs" }',
      'drizzle.config.js': `
        const path = require('node:path');
        module.exports = {
          dialect: 'postgresql',
          schema: './server/db/{tables,views}.ts',
          out: path.posix.join('.', 'server', 'db', 'sql'),
          migrations: { schema: 'public', table: 'api_migrations' },
          dbCredentials: { url: process.env.DATABASE_URL || '${url}' },
        };`,
      'server/db/tables.ts': tableFile('items'),
      'server/db/views.ts': tableFile('totals'),
      'server/db/index.ts': 'export {};',
    },
    from: ['.', 'server/db'],
    env: { DATABASE_URL: '' },
    expected: {
      root: '.',
      configFile: 'drizzle.config.js',
      migrationsFolder: 'server/db/sql',
      schemaFiles: ['server/db/tables.ts', 'server/db/views.ts'],
      history: { schema: 'public', table: 'api_migrations' },
      url,
    },
  },
  {
    title: 'a configuration in a folder, run from above it, which ends without the .env there',
    files: {
      'package.json': '{ "name": "bot" }',
      '.env': `DATABASE_URL="${url}"\n`,
      'db/config/drizzle.config.ts': `
        import { defineConfig } from 'drizzle-kit';
        if (!process.env.DATABASE_URL) {
          console.error('DATABASE_URL is missing');
          process.exit(1);
        }
        export default defineConfig({
          dialect: 'postgresql',
          schema: 'db/schema/*',
          out: 'db/migrations',
          dbCredentials: { url: process.env.DATABASE_URL },
        });`,
      'db/schema/guilds.ts': tableFile('guilds'),
      'db/schema/members.ts': tableFile('members'),
    },
    from: ['.', 'db/config'],
    config: 'db/config/drizzle.config.ts',
    expected: {
      root: '.',
      configFile: 'db/config/drizzle.config.ts',
      migrationsFolder: 'db/migrations',
      schemaFiles: ['db/schema/guilds.ts', 'db/schema/members.ts'],
      url,
    },
  },
  {
    title: 'a configuration in a package, with the paths and the .env of the monorepo',
    files: {
      'package.json': '{ "name": "suite", "private": true }',
      '.env': `DATABASE_URL=${url}\n`,
      'packages/db/package.json': '{ "name": "@suite/db" }',
      'packages/db/drizzle.config.ts': `
        export default {
          dialect: 'postgresql',
          schema: './packages/db/src/schema.ts',
          out: './packages/db/migrations',
          dbCredentials: { url: process.env.DATABASE_URL ?? '' },
        };`,
      'packages/db/src/schema.ts': tableFile('plans'),
    },
    from: ['.', 'packages/db', 'packages/db/src'],
    config: 'packages/db/drizzle.config.ts',
    expected: {
      root: '.',
      configFile: 'packages/db/drizzle.config.ts',
      migrationsFolder: 'packages/db/migrations',
      schemaFiles: ['packages/db/src/schema.ts'],
      url,
    },
  },
  {
    title: 'an ES module, with .env.local read by Node',
    files: {
      'package.json': '{ "name": "site", "type": "module" }',
      '.env.local': `POSTGRES_PRISMA_URL=${url}\n`,
      'drizzle.config.mjs': `
        import { defineConfig } from 'drizzle-kit';
        process.loadEnvFile('.env.local');
        const { schemaPath } = await import('./paths.mjs');
        export default defineConfig({
          dialect: 'postgresql',
          schema: schemaPath,
          dbCredentials: { url: process.env.POSTGRES_PRISMA_URL },
        });`,
      'paths.mjs': `export const schemaPath = new URL('./lib/schema.ts', import.meta.url).pathname;`,
      'lib/schema.ts': tableFile('pages'),
    },
    from: ['.', 'lib'],
    config: 'drizzle.config.mjs',
    expected: {
      root: '.',
      configFile: 'drizzle.config.mjs',
      migrationsFolder: 'drizzle',
      schemaFiles: ['lib/schema.ts'],
      url,
    },
    notGenerated: 'drizzle-kit 0.31 loads its configuration by require(), which has no top-level await',
  },
  {
    title: 'an embedded database (PGlite)',
    files: {
      'package.json': '{ "name": "desktop" }',
      'drizzle.config.ts': `
        import { defineConfig } from 'drizzle-kit';
        export default defineConfig({
          dialect: 'postgresql',
          driver: 'pglite',
          schema: './src/main/schema.ts',
          dbCredentials: { url: 'file:./data/pglite' },
        });`,
      'src/main/schema.ts': tableFile('notes'),
    },
    from: ['.', 'src/main'],
    expected: {
      root: '.',
      configFile: 'drizzle.config.ts',
      migrationsFolder: 'drizzle',
      schemaFiles: ['src/main/schema.ts'],
      embeddedFolder: 'data/pglite',
    },
  },
  {
    title: 'Drizzle 1.0: a folder for each migration, on a machine without the schema',
    files: {
      'package.json': '{ "name": "next" }',
      'drizzle.config.ts': `
        import { defineConfig } from 'drizzle-kit';
        export default defineConfig({
          dialect: 'postgresql',
          schema: './src/schema.ts',
          out: './db/migrations',
          dbCredentials: { url: '${url}' },
        });`,
      'db/migrations/20260105101500_calm_river/migration.sql': 'create table "cities" ("id" uuid primary key);',
      'db/migrations/20260105101500_calm_river/snapshot.json': '{ "version": "8", "dialect": "postgres" }',
    },
    from: ['.', 'db/migrations/20260105101500_calm_river'],
    expected: {
      root: '.',
      configFile: 'drizzle.config.ts',
      migrationsFolder: 'db/migrations',
      schemaFiles: [],
      url,
    },
    notGenerated: 'it has no schema',
  },
];
