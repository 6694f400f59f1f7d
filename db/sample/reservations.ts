// Six flights that were reserved, paid or not, as the tools of the chat write them. One carries a field that this
// project does not know: what a newer application adds must survive.

import { type FlightEnd, flight, route, seatNumber } from './flights.ts';
import { type Random, uuidVersion7 } from './random.ts';
import { chloe, daniel, maya, sampleUsers } from './users.ts';

export interface SampleReservation {
  id: string;
  userEmail: string;
  hasCompletedPayment: boolean;
  details: ReservationDetails;
}

export interface ReservationDetails {
  seats: string[];
  flightNumber: string;
  departure: FlightEnd;
  arrival: FlightEnd;
  passengerName: string;
  totalPriceInUSD: number;
  [unknownField: string]: unknown;
}

const dayMs = 24 * 3_600_000;

/** Who reserved, for how many, and what is more than the usual. */
const reserved: ReadonlyArray<{ userEmail: string; seats: number; isPaid: boolean; extra?: Record<string, unknown> }> =
  [
    { userEmail: maya, seats: 4, isPaid: true },
    { userEmail: maya, seats: 1, isPaid: false },
    {
      userEmail: maya,
      seats: 2,
      isPaid: true,
      extra: { mealPreferences: { 'מאיה לוי': 'ללא בוטנים 🥜', Pixel: null } },
    },
    { userEmail: daniel, seats: 1, isPaid: true },
    { userEmail: daniel, seats: 2, isPaid: false },
    { userEmail: chloe, seats: 1, isPaid: true },
  ];

/** Six reservations, made within the thirty days before `startTime`. */
export function sampleReservations(random: Random, startTime: Date): SampleReservation[] {
  return reserved.map(({ userEmail, seats, isPaid, extra }) => ({
    id: uuidVersion7(random, startTime.getTime() - random.integer(1, 30 * dayMs)),
    userEmail,
    hasCompletedPayment: isPaid,
    details: { ...reservationDetails(random, startTime, seats, passengerName(userEmail)), ...extra },
  }));
}

function reservationDetails(random: Random, startTime: Date, seats: number, passengerName: string): ReservationDetails {
  const { flightNumber, departure, arrival } = flight(random, startTime, route(random));
  const distinctSeats = new Set<string>();
  while (distinctSeats.size < seats) distinctSeats.add(seatNumber(random));
  const totalPriceInUSD = (random.integer(9_000, 190_000) * seats) / 100;
  return { seats: [...distinctSeats], flightNumber, departure, arrival, passengerName, totalPriceInUSD };
}

function passengerName(userEmail: string): string {
  return sampleUsers.find(({ email }) => email === userEmail)?.displayName ?? userEmail;
}
