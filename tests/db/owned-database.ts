// A migrated database whose owner is no superuser, as on a managed server: row-level security holds for who logs in.

import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { migrate } from '../../db/opening.ts';

export interface OwnedDatabase {
  /** Logs in as the owner. */
  url: string;
  /** Logs in as the superuser, whom no policy binds. */
  superuserUrl: string;
  drop(): Promise<void>;
}

/** @param serverUrl of the superuser, to any database of a server */
export async function newOwnedDatabase(serverUrl: string): Promise<OwnedDatabase> {
  const name = `mytx_owned_${randomUUID().replaceAll('-', '')}`;
  const sql = postgres(serverUrl, { max: 1, onnotice: () => {} });
  for (const role of ['mytx_user', 'mytx_service']) {
    await sql.unsafe(`do $$ begin create role ${role} nologin; exception when others then null; end $$`);
  }
  await sql.unsafe(`create role ${name} login nosuperuser password 'owned' in role mytx_user, mytx_service`);
  await sql.unsafe(`create database ${name} owner ${name}`);
  const superuserUrl = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
  const url = Object.assign(new URL(superuserUrl), { username: name, password: 'owned' }).href;
  await migrate({ url });
  return {
    url,
    superuserUrl,
    async drop(): Promise<void> {
      await sql.unsafe(`drop database ${name} with (force)`);
      await sql.unsafe(`drop role ${name}`);
      await sql.end();
    },
  };
}
