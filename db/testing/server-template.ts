// A migrated, empty database on a server that test databases are copied from, and the copies. Made once, by whichever
// process comes first, under an advisory lock. A copy belongs to a session that holds a lock on its name: one whose
// process was killed is free, and dropped by the next process. Never drops one of another process that somebody is connected to.

import { randomBytes } from 'node:crypto';
import { sqlStateOf } from '../connection/failure.ts';
import type { OpenDatabase } from '../connection/open-database.ts';
import { ConnectionError } from '../errors.ts';
import { digestMigrations, migrate, openAsItIs } from '../opening.ts';

const templatePrefix = 'mytx_template_';
const copyPrefix = 'mytx_test_';
/** Days after which a template of other migrations that nobody used is dropped. */
const templateAgeDays = 7;

interface TemplateOptions {
  url: string;
  migrationsFolder?: string;
  allowPlaintext?: boolean;
}

/** A private database on a server. */
export interface ServerCopy {
  url: string;
  drop(): Promise<void>;
}

/** @throws ConnectionError TEST_DATABASE_REFUSED where the role may not create databases */
export async function copyOnServer(options: TemplateOptions): Promise<ServerCopy> {
  const desk = await openDesk(options);
  try {
    const name = `${copyPrefix}${randomBytes(8).toString('hex')}`;
    await desk.copy(name, options);
    return { url: urlOf(options.url, name), drop: () => desk.drop(name) };
  } catch (error) {
    await desk.leave();
    throw error;
  }
}

function urlOf(url: string, name: string): string {
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}

/** One for each server that a process uses: the session that holds the locks of its copies. */
const desks = new Map<string, Promise<Desk>>();

async function openDesk(options: TemplateOptions): Promise<Desk> {
  const { url } = options;
  const opening = desks.get(url) ?? openAsItIs({ ...options, poolSize: 1 }).then((database) => new Desk(url, database));
  desks.set(url, opening);
  try {
    const desk = await opening;
    if (desks.get(url) !== opening) return openDesk(options); // the last one has just left it
    desk.users += 1;
    return desk;
  } catch (error) {
    desks.delete(url);
    throw error;
  }
}

/** Names of templates that are known to be there, by server and migrations. */
const templates = new Map<string, Promise<string>>();

class Desk {
  users = 0;

  constructor(
    private readonly url: string,
    private readonly database: OpenDatabase,
  ) {}

  /** A template that was there and is gone is made anew. */
  async copy(name: string, options: TemplateOptions): Promise<void> {
    const key = `${this.url} ${digestMigrations(options.migrationsFolder)}`;
    await this.run(`select pg_advisory_lock(${lockOf(name)})`);
    try {
      await this.create(`create database ${name} template ${await this.template(key, options)}`);
    } catch (error) {
      if (sqlStateOf(error) !== '3D000') throw error;
      templates.delete(key);
      await this.create(`create database ${name} template ${await this.template(key, options)}`);
    }
  }

  private template(key: string, options: TemplateOptions): Promise<string> {
    const making = templates.get(key) ?? this.makeTemplate(options);
    templates.set(key, making);
    making.catch(() => templates.delete(key)); // the next caller tries again
    return making;
  }

  async drop(name: string): Promise<void> {
    try {
      // With what is still connected: the application that was tested.
      await this.run(`drop database if exists ${name} with (force)`);
      await this.run(`select pg_advisory_unlock(${lockOf(name)})`);
    } finally {
      await this.leave();
    }
  }

  /** The last one to leave closes the session. */
  async leave(): Promise<void> {
    this.users -= 1;
    if (this.users > 0) return;
    desks.delete(this.url);
    await this.database.close();
  }

  private async makeTemplate(options: TemplateOptions): Promise<string> {
    const name = `${templatePrefix}${digestMigrations(options.migrationsFolder)}`;
    await this.run(`select pg_advisory_lock(${lockOf(templatePrefix)})`);
    try {
      await this.dropLeftBehind();
      const [found] = await this.run(`select datistemplate from pg_database where datname = '${name}'`);
      if (!found?.[0]) {
        await this.run(`drop database if exists ${name}`); // of a process that was killed while it made it
        await this.create(`create database ${name}`);
        await migrate({ ...options, url: urlOf(options.url, name) });
        // Nobody can be connected to it, which would be in the way of a copy.
        await this.run(`alter database ${name} with is_template true allow_connections false`);
      }
      await this.run(`comment on database ${name} is '${new Date().toISOString()}'`);
      await this.dropOldTemplates(name);
      return name;
    } finally {
      await this.run(`select pg_advisory_unlock(${lockOf(templatePrefix)})`);
    }
  }

  private async dropLeftBehind(): Promise<void> {
    const rows = await this.run(`select datname from pg_database where datname ~ '^${copyPrefix}[0-9a-f]{16}$'`);
    for (const [name] of rows) {
      const [taken] = await this.run(`select pg_try_advisory_lock(${lockOf(String(name))})`);
      if (!taken?.[0]) continue;
      try {
        await this.dropUnused(String(name));
      } finally {
        await this.run(`select pg_advisory_unlock(${lockOf(String(name))})`);
      }
    }
  }

  /** Templates that nobody has used for days; the comment says when one was. */
  private async dropOldTemplates(kept: string): Promise<void> {
    const rows = await this.run(
      `select datname, shobj_description(oid, 'pg_database') from pg_database
where datname ~ '^${templatePrefix}[0-9a-f]{16}$' and datname <> '${kept}' and datistemplate`,
    );
    for (const [name, usedAt] of rows) {
      const ageMs = Date.now() - Date.parse(String(usedAt));
      if (!(ageMs > templateAgeDays * 86_400_000)) continue;
      await this.dropUnused(String(name), `alter database ${name} with is_template false`);
    }
  }

  private async dropUnused(name: string, before?: string): Promise<void> {
    try {
      if (before) await this.run(before);
      await this.run(`drop database if exists ${name}`);
    } catch (error) {
      // Somebody is connected to it, or it is another role's.
      if (!['55006', '42501'].includes(sqlStateOf(error) ?? '')) throw error;
    }
  }

  private async create(statement: string): Promise<void> {
    try {
      await this.run(statement);
    } catch (error) {
      if (sqlStateOf(error) !== '42501') throw error;
      throw new ConnectionError(
        'TEST_DATABASE_REFUSED',
        `the role may not create databases on ${this.database.engine.target}`,
        'As a superuser run: alter role <role> createdb; or leave MYTX_TEST_URL out, and the tests run on the embedded database.',
        {},
        error,
      );
    }
  }

  private async run(statement: string): Promise<unknown[][]> {
    return (await this.database.runHere(statement, [], false)).rows;
  }
}

/** Eight bytes for a name, as a literal. */
function lockOf(name: string): string {
  return `hashtextextended('mytx-ai ${name}', 0)`;
}
