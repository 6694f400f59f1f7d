// The name of its environment that a database keeps, on each server and on the embedded database.

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { defaultDeadlines } from '../../../db/connection/deadlines.ts';
import { deploySession } from '../../../db/connection/deploy-session.ts';
import { serverEngine } from '../../../db/connection/server.ts';
import { parseServerUrl } from '../../../db/connection/url.ts';
import { currentDatabase } from '../../../db/database.ts';
import { createDatabase } from '../../../db/index.ts';
import { readMark, requireMark, writeMark } from '../../../deploy/project/environment-mark.ts';
import type { DeploySession } from '../../../deploy/session.ts';

type WithSession = <T>(work: (session: DeploySession) => Promise<T>) => Promise<T>;

function itKeepsMarks(onNewDatabase: (work: (withSession: WithSession) => Promise<void>) => Promise<void>): void {
  test('a database that was never marked has none, is let through, and gets no schema by reading', () =>
    onNewDatabase((withSession) =>
      withSession(async (session) => {
        expect(await readMark(session)).toBeUndefined();
        await requireMark(session, 'production');
        expect(await session.query(`select 1 from pg_namespace where nspname = 'mytx_deploy'`)).toEqual([]);
      }),
    ));

  test('a mark is kept, one at a time, and says what was there before', () =>
    onNewDatabase(async (withSession) => {
      expect(await withSession((session) => writeMark(session, 'staging'))).toBeUndefined();
      expect(await withSession((session) => writeMark(session, 'staging'))).toBe('staging');
      expect(await withSession((session) => writeMark(session, 'production'))).toBe('staging');
      await withSession(async (session) => {
        expect(await readMark(session)).toBe('production');
        expect(await session.query('select name from mytx_deploy.environment')).toEqual([{ name: 'production' }]);
      });
    }));

  test('another environment is refused, with both names and the statement for a database that was renamed', () =>
    onNewDatabase((withSession) =>
      withSession(async (session) => {
        await writeMark(session, 'staging');
        await requireMark(session, 'staging');
        await expect(requireMark(session, 'production')).rejects.toMatchObject({
          code: 'ENVIRONMENT_MISMATCH',
          message: 'this database is marked as "staging", and "production" was asked for; nothing was changed',
          details: { marked: 'staging', asked: 'production' },
        });
        await session.script(`update mytx_deploy.environment set name = 'production'`);
        await requireMark(session, 'production');
      }),
    ));

  test('the schema that is there already without the table has no mark', () =>
    onNewDatabase((withSession) =>
      withSession(async (session) => {
        await session.script('create schema mytx_deploy');
        expect(await readMark(session)).toBeUndefined();
        await writeMark(session, 'staging');
        expect(await readMark(session)).toBe('staging');
      }),
    ));
}

describe('on the embedded database', () => {
  itKeepsMarks(async (work) => {
    const snapshot = new Blob([readFileSync(inject('snapshotFile'))]);
    const database = await createDatabase({ folder: 'memory', snapshot });
    try {
      await work((inSession) =>
        database.run(async () => {
          const current = await currentDatabase();
          return current.withConnection((connection) => inSession(deploySession(connection)));
        }),
      );
    } finally {
      await database.close();
    }
  });
});

describe.each(inject('servers'))('on PostgreSQL $version', ({ url: serverUrl }) => {
  let admin: postgres.Sql;
  const roles: string[] = [];

  beforeAll(() => {
    admin = postgres(serverUrl, { max: 1, onnotice: () => {} });
  });
  afterAll(async () => {
    for (const role of roles) await admin.unsafe(`drop role if exists ${role}`);
    await admin.end();
  });

  const sessionOn =
    (url: string): WithSession =>
    async (work) => {
      const connection = serverEngine(parseServerUrl(url), defaultDeadlines).connect();
      try {
        return await work(deploySession(connection));
      } finally {
        await connection.close();
      }
    };

  async function onNewDatabase(work: (withSession: WithSession, url: string) => Promise<void>): Promise<void> {
    const name = `mytx_${randomUUID().replaceAll('-', '')}`;
    await admin.unsafe(`create database ${name}`);
    const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
    try {
      await work(sessionOn(url), url);
    } finally {
      await admin.unsafe(`drop database ${name} with (force)`);
    }
  }

  /** A session of a role that owns nothing. */
  async function asStranger(url: string): Promise<{ role: string; withSession: WithSession }> {
    const role = `stranger_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
    await admin.unsafe(`create role ${role} login password 'stranger'`);
    roles.push(role);
    return { role, withSession: sessionOn(Object.assign(new URL(url), { username: role, password: 'stranger' }).href) };
  }

  itKeepsMarks(onNewDatabase);

  test('a mark that may not be read is an error, never "there is none"; with the rights of the hint it is read', () =>
    onNewDatabase(async (withSession, url) => {
      await withSession((session) => writeMark(session, 'production'));
      const stranger = await asStranger(url);
      await expect(stranger.withSession((session) => requireMark(session, 'staging'))).rejects.toMatchObject({
        code: 'ENVIRONMENT_UNREADABLE',
        message: expect.stringContaining('(SQLSTATE 42501: permission denied for schema mytx_deploy)'),
      });
      await withSession((session) =>
        session.script(`
          grant usage on schema mytx_deploy to ${stranger.role};
          grant select on mytx_deploy.environment to ${stranger.role};
        `),
      );
      expect(await stranger.withSession(readMark)).toBe('production');
      await expect(stranger.withSession((session) => writeMark(session, 'staging'))).rejects.toMatchObject({
        code: 'ENVIRONMENT_UNREADABLE',
        message: expect.stringContaining("can't be written to"),
      });
      expect(await withSession(readMark)).toBe('production');
    }));

  test('a role that may not make the schema is told so', () =>
    onNewDatabase(async (withSession, url) => {
      const stranger = await asStranger(url);
      expect(await stranger.withSession(readMark)).toBeUndefined();
      await expect(stranger.withSession((session) => writeMark(session, 'staging'))).rejects.toMatchObject({
        code: 'ENVIRONMENT_UNREADABLE',
      });
      expect(await withSession(readMark)).toBeUndefined();
    }));

  test('a connection that breaks is no error of the mark', () =>
    onNewDatabase((withSession) =>
      withSession(async (session) => {
        await writeMark(session, 'staging');
        const [row] = await session.query('select pg_backend_pid()::text as pid');
        await admin.unsafe(`select pg_terminate_backend(${row?.pid})`);
        await expect(readMark(session)).rejects.not.toMatchObject({ code: 'ENVIRONMENT_UNREADABLE' });
      }),
    ));
});
