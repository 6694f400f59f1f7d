// Flights that are being booked.

import { isDeepStrictEqual } from 'node:util';
import { and, eq, type SQL, sql } from 'drizzle-orm';
import { optionalId, requireBoolean, requireId, requireObject } from './arguments.ts';
import { db, readFor } from './database.ts';
import { type InvalidArgumentCode, InvalidArgumentError } from './errors.ts';
import { storableJson, toJsonText } from './json-value.ts';
import { idTaken, named, userMissing } from './outcome.ts';
import { type FlightReservation, flightReservation } from './reservation-details.ts';
import { type Reservation, reservation } from './schema.ts';

const byId: SQL = eq(reservation.id, sql.placeholder('id'));
const ofUser = and(byId, eq(reservation.userId, sql.placeholder('userId')));

const insertReservation = db
  .insert(reservation)
  .values({
    id: sql.placeholder('id'),
    userId: sql.placeholder('userId'),
    details: sql.placeholder('details'),
  })
  .onConflictDoNothing()
  .returning()
  .prepare('reservation_insert');
const one = db.select().from(reservation).where(byId).prepare('reservation_by_id');
const oneOfUser = db.select().from(reservation).where(ofUser).prepare('reservation_by_id_of_user');
const setPayment = { hasCompletedPayment: sql`${sql.placeholder('hasCompletedPayment')}::boolean` };
const payOne = db.update(reservation).set(setPayment).where(byId).returning().prepare('reservation_pay');
const payOneOfUser = db
  .update(reservation)
  .set(setPayment)
  .where(ofUser)
  .returning()
  .prepare('reservation_pay_of_user');

/**
 * Saves a reservation under the id that the caller made. The same call again returns the row there is.
 * @param details checked: seats, flight number, departure, arrival, passenger, total price; other fields are kept
 * @throws ConflictError ID_TAKEN when the id is there with other details or of another user
 * @throws InvalidArgumentError INVALID_DETAILS; NotFoundError USER_NOT_FOUND
 */
export async function createReservation(args: {
  id: string;
  userId: string;
  details: FlightReservation;
}): Promise<Reservation[]> {
  const { id, userId, details } = requireObject('createReservation', args);
  const values = {
    id: requireId('id', id),
    userId: requireId('userId', userId),
    details: requireDetails(details),
  };
  const written = await named(insertReservation.execute(values), userMissing);
  if (written.length > 0) return written;
  const existing = await oneOfUser.execute(values);
  if (!isDeepStrictEqual(existing[0]?.details, values.details)) throw idTaken('id');
  return existing;
}

/** A reservation, or undefined. With `userId` only that user's. */
export async function getReservationById(args: { id: string; userId?: string }): Promise<Reservation | undefined> {
  const { id, userId } = requireObject('getReservationById', args);
  const values = { id: requireId('id', id), userId: optionalId('userId', userId) };
  const rows =
    values.userId === undefined
      ? await one.execute(values)
      : await readFor(values.userId, () => oneOfUser.execute(values));
  return rows[0];
}

/** Says whether a reservation is paid. @returns the row written, or undefined when it is not there */
export async function updateReservation(args: {
  id: string;
  hasCompletedPayment: boolean;
  userId?: string;
}): Promise<Reservation | undefined> {
  const { id, hasCompletedPayment, userId } = requireObject('updateReservation', args);
  const values = {
    id: requireId('id', id),
    userId: optionalId('userId', userId),
    hasCompletedPayment: requireBoolean('hasCompletedPayment', hasCompletedPayment),
  };
  const rows = await (values.userId === undefined ? payOne : payOneOfUser).execute(values);
  return rows[0];
}

function requireDetails(details: unknown): FlightReservation {
  if (details === undefined) throw invalidDetails('MISSING_ARGUMENT', 'is missing (undefined)', []);
  const text = toJsonText(details, { argument: 'details', code: 'INVALID_DETAILS', limit: 'reservationBytes' });
  const checked = flightReservation.safeParse(JSON.parse(text));
  if (checked.success) return JSON.parse(storableJson(text));
  const problems = checked.error.issues.map(({ path, message }) => `${path.join('.') || 'details'}: ${message}`);
  throw invalidDetails('INVALID_DETAILS', `is not a flight reservation: ${problems.slice(0, 5).join('; ')}`, problems);
}

function invalidDetails(code: InvalidArgumentCode, problem: string, problems: readonly string[]): InvalidArgumentError {
  return new InvalidArgumentError(
    code,
    'details',
    problem,
    'Pass seats, flightNumber, departure, arrival, passengerName and totalPriceInUSD; other fields are kept as they are.',
    { problems },
  );
}
