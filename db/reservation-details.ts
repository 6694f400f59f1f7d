// What the details of a flight reservation must hold. Fields beyond these are kept as they come.

import { z } from 'zod';

const airportStop = z.looseObject({
  cityName: z.string().min(1),
  airportCode: z.string().min(1),
  timestamp: z.string().min(1),
  gate: z.string().optional(),
  terminal: z.string().optional(),
});

export const flightReservation = z.looseObject({
  seats: z.array(z.string().min(1)).min(1),
  flightNumber: z.string().min(1),
  departure: airportStop,
  arrival: airportStop,
  passengerName: z.string().min(1),
  totalPriceInUSD: z.number().nonnegative(),
});

/** A flight reservation: seats, flight number, departure, arrival, passenger, total price, and what else there is. */
export type FlightReservation = z.infer<typeof flightReservation>;
