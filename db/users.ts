// People who talk to the assistant.

import { hash } from '@node-rs/bcrypt';
import { getTableColumns, sql } from 'drizzle-orm';
import { describe, requireEmail } from './arguments.ts';
import { db } from './database.ts';
import { ConflictError, InvalidArgumentError } from './errors.ts';
import { passwordByteLimit, textLimits } from './limits.ts';
import { named } from './outcome.ts';
import { type User, user } from './schema.ts';
import { uuidv7 } from './uuid.ts';

const bcryptCost = 10;

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
  return isStorable ? await byEmail.execute({ email }) : [];
}

/**
 * Adds a user; the password is stored as a bcrypt hash, made off the event loop.
 * @returns the row written, without the hash
 * @throws ConflictError EMAIL_TAKEN, also for the same address in another case
 * @throws InvalidArgumentError INVALID_EMAIL, INVALID_PASSWORD (bcrypt reads 72 bytes: more is refused, not cut)
 * @example await createUser('dana@example.com', 'correct horse battery staple');
 */
export async function createUser(email: string, password: string): Promise<Omit<User, 'password'>[]> {
  const address = requireEmail('email', email, textLimits.email);
  const hashed = await hash(requirePassword(password), { cost: bcryptCost });
  return named(insertUser.execute({ id: uuidv7(), email: address, password: hashed }), {
    '23505': (cause) =>
      new ConflictError(
        'EMAIL_TAKEN',
        'a user with this e-mail address is there already',
        'Sign in as that user, or take another address.',
        cause,
      ),
  });
}

function requirePassword(password: unknown): string {
  const problem = findPasswordProblem(password);
  if (problem === undefined) return password as string;
  throw new InvalidArgumentError(
    password === undefined ? 'MISSING_ARGUMENT' : 'INVALID_PASSWORD',
    'password',
    `${problem}; it must be a text of 1 to ${passwordByteLimit} bytes`,
    'bcrypt reads 72 bytes and would ignore the rest. Ask for a shorter password.',
  );
}

function findPasswordProblem(password: unknown): string | undefined {
  if (password === undefined) return 'is missing (undefined)';
  if (typeof password !== 'string') return `is ${password === null ? 'null' : `a ${typeof password}`}`;
  if (password === '') return 'is empty';
  if (!password.isWellFormed()) return 'has half of a surrogate pair, which UTF-8 can’t hold';
  // bcrypt repeats its key with a U+0000 between: "a" and "a\0a" would be one password.
  if (password.includes('\0')) return 'has a U+0000, which ends a password in bcrypt';
  const bytes = Buffer.byteLength(password);
  return bytes > passwordByteLimit ? `has ${bytes} bytes` : undefined;
}
