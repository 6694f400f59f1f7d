// People who talk to the assistant, and how they sign in.

import { getTableColumns, sql } from 'drizzle-orm';
import { describe, normalizeEmail, requireEmail, requireId, requireObject } from './arguments.ts';
import { recordEvent } from './audit.ts';
import { db, transaction } from './database.ts';
import { BusyError, ConflictError, InvalidArgumentError } from './errors.ts';
import { textLimits } from './limits.ts';
import { named } from './outcome.ts';
import { comparePassword, hashPassword, readTypedPassword, requirePassword } from './passwords.ts';
import { type User, user } from './schema.ts';
import { statement } from './statement.ts';
import { uuidv7 } from './uuid.ts';

/** A user as everybody may see it who may see the user: never with the password's hash. */
export type PublicUser = Omit<User, 'password'>;

const byEmail = db
  .select()
  .from(user)
  .where(sql`lower(${user.email}) = lower(${sql.placeholder('email')})`)
  .prepare('user_by_email');

const { password: _password, ...columnsToShow } = getTableColumns(user);
const insertUser = db
  .insert(user)
  .values({ id: sql.placeholder('id'), email: sql.placeholder('email'), password: sql.placeholder('password') })
  .returning(columnsToShow)
  .prepare('user_insert');
const replacePassword = statement(
  `with before as (
  select id, password is not null as "hadOne"
  from "User"
  where id = $1::uuid
  for no key update
)
update "User"
set password = $2::text
from before
where "User".id = before.id
returning "User".id, email, "displayName", "avatarUrl", "hadOne"`,
  ([id, email, displayName, avatarUrl, hadOne]) => ({
    row: { id, email, displayName, avatarUrl } as PublicUser,
    hadOne: hadOne as boolean,
  }),
  1,
);
/** Where nobody has changed it since it was read. */
const renewHash = statement(
  `update "User"
set password = $3::text
where id = $1::uuid and password = $2::text`,
  () => undefined,
  1,
);

/**
 * The user with this e-mail, in whatever case it was written: an array of one row, or `[]`.
 * @example const [dana] = await getUser('dana@example.com');
 */
export async function getUser(email: string): Promise<User[]> {
  if (typeof email !== 'string') {
    throw new InvalidArgumentError(
      email === undefined ? 'MISSING_ARGUMENT' : 'INVALID_EMAIL',
      'email',
      `is ${describe(email)}; it must be a text`,
      'Pass the e-mail address that the user gave.',
    );
  }
  const isStorable = email.length <= textLimits.email * 2 && email.isWellFormed() && !email.includes('\0');
  if (!isStorable) return [];
  // As it was given first: rows that came from elsewhere may hold addresses that are not normalised.
  const found = await byEmail.execute({ email });
  if (found.length > 0) return found;
  const normalized = normalizeEmail(email);
  return normalized === email.toLowerCase() ? found : byEmail.execute({ email: normalized });
}

/**
 * Adds a user; the password is stored as a bcrypt hash, made off the event loop. The address is stored without white
 * space around it, composed (NFC) and in lower case.
 * @returns the row written, without the hash
 * @throws ConflictError EMAIL_TAKEN, also for the same address in another case; BusyError HASHING_BUSY
 * @throws InvalidArgumentError INVALID_EMAIL, INVALID_PASSWORD (bcrypt reads 72 bytes: more is refused, not cut)
 * @example await createUser('dana@example.com', 'correct horse battery staple');
 */
export async function createUser(email: string, password: string): Promise<PublicUser[]> {
  const address = requireEmail('email', email, textLimits.email);
  const hashed = await hashPassword(requirePassword(password));
  const id = uuidv7();
  const write = async (): Promise<PublicUser[]> => {
    const rows = await insertUser.execute({ id, email: address, password: hashed });
    await recordEvent('password.set', id);
    return rows;
  };
  return named(transaction(write), {
    '23505': (cause) =>
      new ConflictError(
        'EMAIL_TAKEN',
        'a user with this e-mail address is there already',
        'Sign in as that user, or take another address.',
        cause,
      ),
  });
}

/**
 * The user whose e-mail and password these are, without the hash, or null. An unknown e-mail, a user without a password
 * and a wrong password take the same time, also where the stored hash has a lower cost than is configured. A text that
 * can't be a password (empty, over 72 bytes, with U+0000) is a wrong one. A hash of a lower cost than is configured is
 * made anew.
 * @throws BusyError HASHING_BUSY, at once, where too many callers wait
 * @throws InvalidArgumentError INVALID_EMAIL, INVALID_PASSWORD for what is no text
 * @example const dana = await verifyPassword({ email: 'dana@example.com', password: 'correct horse battery staple' });
 */
export async function verifyPassword(args: { email: string; password: string }): Promise<PublicUser | null> {
  const { email, password } = requireObject('verifyPassword', args);
  const typed = readTypedPassword(password);
  const [found] = await getUser(email);
  const { isRight, isOutdated } = await comparePassword(typed, found?.password);
  if (!found || typed === undefined || !isRight) return null;
  const { password: stored, ...shown } = found;
  if (isOutdated) await strengthen(found.id, stored as string, typed);
  return shown;
}

/** A sign-in does not fail because there is no time for a stronger hash: the next one makes it. */
async function strengthen(userId: string, stored: string, password: string): Promise<void> {
  const stronger = await hashPassword(password).catch((error: unknown) => {
    if (error instanceof BusyError) return undefined;
    throw error;
  });
  if (stronger !== undefined) await renewHash.run(userId, stored, stronger);
}

/**
 * Gives a user another password, or the first one. Whether the caller may (by the old password, or a link in an e-mail)
 * is the application's to check, and sessions are its to end.
 * @returns the user without the hash, `[]` when there is none with this id
 * @throws InvalidArgumentError INVALID_PASSWORD; BusyError HASHING_BUSY
 * @example await changePassword({ userId, password: 'another horse, another staple' });
 */
export async function changePassword(args: { userId: string; password: string }): Promise<PublicUser[]> {
  const { userId, password } = requireObject('changePassword', args);
  const id = requireId('userId', userId);
  const hashed = await hashPassword(requirePassword(password));
  return transaction(async () => {
    const [written] = await replacePassword.run(id, hashed);
    if (!written) return [];
    await recordEvent(written.hadOne ? 'password.changed' : 'password.set', id);
    return [written.row];
  });
}
