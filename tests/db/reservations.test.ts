import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createReservation, getReservationById, updateReservation } from '../../db/queries.ts';
import type { FlightReservation } from '../../db/reservation-details.ts';
import { everythingSaid } from './everything-said.ts';
import { flight } from './flight.ts';
import { newRecorder } from './recorder.ts';
import { newUser, useTestDatabase } from './test-database.ts';

const recorder = newRecorder();
useTestDatabase({ logger: recorder.logger });

test('a reservation comes back as it was made, not paid', async () => {
  const [userId, id] = [await newUser(), randomUUID()];
  const created = await createReservation({ id, userId, details: flight });
  expect(created).toEqual([{ id, userId, details: flight, hasCompletedPayment: false, createdAt: expect.any(Date) }]);
  expect(await getReservationById({ id })).toEqual(created[0]);
  expect(await getReservationById({ id, userId })).toEqual(created[0]);
  expect(await getReservationById({ id: id.toUpperCase() })).toEqual(created[0]);
});

test('a reservation that is not there is undefined', async () => {
  const userId = await newUser();
  expect(await getReservationById({ id: randomUUID() })).toBeUndefined();
  expect(await getReservationById({ id: randomUUID(), userId })).toBeUndefined();
  expect(await updateReservation({ id: randomUUID(), hasCompletedPayment: true })).toBeUndefined();
});

test('with a user’s id only that user’s reservation is seen and changed', async () => {
  const [userId, stranger, id] = [await newUser(), await newUser(), randomUUID()];
  const [row] = await createReservation({ id, userId, details: flight });
  expect(await getReservationById({ id, userId: stranger })).toBeUndefined();
  expect(await updateReservation({ id, userId: stranger, hasCompletedPayment: true })).toBeUndefined();
  expect(await getReservationById({ id })).toEqual(row);
});

test('a payment can be noted and taken back, with the user’s id or without, and gives the row', async () => {
  const [userId, id] = [await newUser(), randomUUID()];
  const [row] = await createReservation({ id, userId, details: flight });
  expect(await updateReservation({ id, hasCompletedPayment: true })).toEqual({ ...row, hasCompletedPayment: true });
  expect(await updateReservation({ id, userId, hasCompletedPayment: false })).toEqual(row);
  expect(await getReservationById({ id })).toEqual(row);
});

test('the same call again returns the row there is, also when ten come at once and after the payment', async () => {
  const [userId, id] = [await newUser(), randomUUID()];
  const again = () => createReservation({ id, userId, details: structuredClone(flight) });
  const rows = await Promise.all(Array.from({ length: 10 }, again));
  expect(new Set(rows.map((row) => JSON.stringify(row))).size).toBe(1);
  const paid = await updateReservation({ id, hasCompletedPayment: true });
  const { seats, ...rest } = flight;
  // The order of keys does not count.
  expect(await createReservation({ id, userId, details: { ...rest, seats } })).toEqual([paid]);
});

test('an id that is there with other details, or of another user, is taken', async () => {
  const [userId, other, id] = [await newUser(), await newUser(), randomUUID()];
  const [row] = await createReservation({ id, userId, details: flight });
  const others = [
    { id, userId, details: { ...flight, seats: ['1A'] } },
    { id, userId: other, details: flight },
  ];
  for (const args of others) await expect(createReservation(args)).rejects.toMatchObject({ code: 'ID_TAKEN' });
  expect(await getReservationById({ id })).toEqual(row);
});

test('a reservation of nobody is refused', async () => {
  const lost = createReservation({ id: randomUUID(), userId: randomUUID(), details: flight });
  await expect(lost).rejects.toMatchObject({ code: 'USER_NOT_FOUND' });
});

describe('details', () => {
  const save = async (details: FlightReservation): Promise<unknown> => {
    const [row] = await createReservation({ id: randomUUID(), userId: await newUser(), details });
    return row?.details;
  };

  test('keep fields that are not known, at each level', async () => {
    const details = {
      ...flight,
      departure: { ...flight.departure, weather: { wind: [3, null, 'NW'] } },
      loyalty: { tier: 'gold', miles: 12_345_678_901_234 },
      notes: '{"not": "parsed"}',
      price: '5',
      nothing: null,
      seats: ['12A'],
    };
    expect(await save(details)).toEqual(details);
  });

  test('may lack gate and terminal, and cost nothing', async () => {
    const { gate: _gate, terminal: _terminal, ...departure } = flight.departure;
    const details = { ...flight, departure, totalPriceInUSD: 0 };
    expect(await save(details)).toEqual(details);
  });

  test('have U+FFFD where jsonb holds no character, in keys and values, and nothing else changed', async () => {
    const details = {
      ...flight,
      passengerName: 'a\0b\uD83Cc 🍵',
      'key\0': { '\uDF75': ['\0'] },
      slashes: '\\u0000 \\\\u0000',
    };
    expect(await save(details)).toEqual({
      ...flight,
      passengerName: 'a\uFFFDb\uFFFDc 🍵',
      'key\uFFFD': { '\uFFFD': ['\uFFFD'] },
      slashes: '\\u0000 \\\\u0000',
    });
    const id = randomUUID();
    const userId = await newUser();
    const first = await createReservation({ id, userId, details });
    expect(await createReservation({ id, userId, details })).toEqual(first);
  });

  test('are stored once, as JSON, with undefined left out', async () => {
    expect(await save({ ...flight, extra: undefined })).toEqual(flight);
    expect(await save({ ...flight, when: new Date(0) })).toEqual({ ...flight, when: '1970-01-01T00:00:00.000Z' });
  });

  test('that are not of a flight, or no JSON, are refused by the fields’ names before a statement is sent', async () => {
    const [userId, id] = [await newUser(), randomUUID()];
    const cycle: Record<string, unknown> = { ...flight };
    cycle.self = cycle;
    const wrong: unknown[] = [
      null,
      'text',
      JSON.stringify(flight),
      [],
      {},
      { ...flight, seats: [] },
      { ...flight, seats: '12A' },
      { ...flight, flightNumber: '' },
      { ...flight, totalPriceInUSD: -1 },
      { ...flight, totalPriceInUSD: '1250' },
      { ...flight, totalPriceInUSD: Number.NaN },
      { ...flight, departure: { ...flight.departure, airportCode: undefined } },
      { ...flight, big: 1n },
      { ...flight, bytes: new Uint8Array(3) },
      { ...flight, long: 'x'.repeat(64 * 1024) },
      cycle,
    ];
    for (const details of wrong as FlightReservation[]) {
      await recorder.expectRefused(() => createReservation({ id, userId, details }), 'INVALID_DETAILS', 'details');
    }
    const nameless = { ...flight, passengerName: '', arrival: { ...flight.arrival, cityName: 7 } };
    const error = await createReservation({ id, userId, details: nameless as never }).catch((reason) => reason);
    expect(error.message).toContain('passengerName');
    expect(error.message).toContain('arrival.cityName');
  });

  test('of 64 KiB of JSON are kept', async () => {
    const room = 64 * 1024 - JSON.stringify({ ...flight, long: '' }).length;
    const details = { ...flight, long: 'x'.repeat(room) };
    expect(await save(details)).toEqual(details);
    await expect(save({ ...flight, long: 'x'.repeat(room + 1) })).rejects.toMatchObject({ code: 'INVALID_DETAILS' });
  });

  test('that are refused are not quoted', async () => {
    const details = { ...flight, seats: 'canary', passengerName: ['canary'] } as never;
    const error = await createReservation({ id: randomUUID(), userId: randomUUID(), details }).catch(
      (reason) => reason,
    );
    expect(everythingSaid(error)).not.toContain('canary');
  });
});

test('an argument that is undefined or of another type is refused by name', async () => {
  const [userId, id] = [await newUser(), randomUUID()];
  const none = undefined as never;
  const calls: [string, () => Promise<unknown>][] = [
    ['id', () => createReservation({ id: none, userId, details: flight })],
    ['userId', () => createReservation({ id, userId: none, details: flight })],
    ['details', () => createReservation({ id, userId, details: none })],
    ['id', () => getReservationById({ id: none })],
    ['id', () => updateReservation({ id: none, hasCompletedPayment: true })],
    ['hasCompletedPayment', () => updateReservation({ id, hasCompletedPayment: none })],
  ];
  for (const [argument, call] of calls) await recorder.expectRefused(call, 'MISSING_ARGUMENT', argument);
  const paid = 'yes' as unknown as boolean;
  await recorder.expectRefused(
    () => updateReservation({ id, hasCompletedPayment: paid }),
    'INVALID_ARGUMENT',
    'hasCompletedPayment',
  );
  // null is "nobody", not "everybody".
  for (const nobody of [null, '', 'x'] as string[]) {
    await recorder.expectRefused(() => getReservationById({ id, userId: nobody }), 'INVALID_ID', 'userId');
    await recorder.expectRefused(
      () => updateReservation({ id, hasCompletedPayment: true, userId: nobody }),
      'INVALID_ID',
      'userId',
    );
  }
});
