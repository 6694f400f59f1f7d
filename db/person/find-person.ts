// A person by what an operator has at hand, the id or the e-mail address, and how much there is of them.

import { requireId } from '../arguments.ts';
import { execute } from '../database.ts';
import { NotFoundError } from '../errors.ts';
import { getUser } from '../users.ts';
import type { RowCounts } from './format.ts';
import { personTables } from './person-tables.ts';
import { countRowsOf } from './read-rows.ts';

export interface FoundPerson {
  userId: string;
  rows: RowCounts;
}

/** @throws NotFoundError USER_NOT_FOUND; InvalidArgumentError INVALID_ID for what is neither an id nor an address */
export async function findPerson(idOrEmail: string): Promise<FoundPerson> {
  const isEmail = idOrEmail.includes('@');
  const userId = isEmail ? await byEmail(idOrEmail) : await byId(requireId('user', idOrEmail));
  if (userId !== undefined) return { userId, rows: await countRowsOf(personTables, userId) };
  throw new NotFoundError(
    'USER_NOT_FOUND',
    `there is no user with this ${isEmail ? 'e-mail address' : 'id'}`,
    'Check it, and that this is the right database: the first line names it.',
  );
}

async function byEmail(email: string): Promise<string | undefined> {
  return (await getUser(email))[0]?.id;
}

async function byId(id: string): Promise<string | undefined> {
  const { rows } = await execute('select id from "User" where id = $1::uuid', [id], true);
  return rows[0]?.[0] as string | undefined;
}
