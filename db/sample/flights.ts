// Invented flights between real airports, for tool calls and reservations. Times are UTC, as ISO text.

import type { Random } from './random.ts';

export interface Airport {
  cityName: string;
  airportCode: string;
}

/** One end of a flight, as a reservation keeps it. */
export interface FlightEnd extends Airport {
  timestamp: string;
  gate: string;
  terminal: string;
}

export interface Flight {
  flightNumber: string;
  airline: string;
  departure: FlightEnd;
  arrival: FlightEnd;
}

const fiveMinutesMs = 5 * 60_000;
const dayMs = 24 * 3_600_000;

const airports: readonly Airport[] = [
  { cityName: 'Tel Aviv', airportCode: 'TLV' },
  { cityName: 'Lisbon', airportCode: 'LIS' },
  { cityName: 'Kyoto (Kansai)', airportCode: 'KIX' },
  { cityName: 'Montréal', airportCode: 'YUL' },
  { cityName: 'São Paulo', airportCode: 'GRU' },
  { cityName: 'Zürich', airportCode: 'ZRH' },
  { cityName: 'New York', airportCode: 'JFK' },
  { cityName: 'Nairobi', airportCode: 'NBO' },
  { cityName: 'Singapore', airportCode: 'SIN' },
  { cityName: 'Reykjavík', airportCode: 'KEF' },
];

const airlines: ReadonlyArray<readonly [code: string, name: string]> = [
  ['LY', 'El Al'],
  ['LH', 'Lufthansa'],
  ['AF', 'Air France'],
  ['TP', 'TAP Air Portugal'],
  ['UA', 'United'],
  ['SQ', 'Singapore Airlines'],
];

/** Two airports that are not the same one. */
export function route(random: Random): [from: Airport, to: Airport] {
  const [from, to] = random.shuffle(airports);
  return [from as Airport, to as Airport];
}

/** A flight on a day of the three months after `startTime`. */
export function flight(random: Random, startTime: Date, [from, to]: [from: Airport, to: Airport]): Flight {
  const [code, airline] = random.pick(airlines);
  const today = Math.floor(startTime.getTime() / dayMs) * dayMs; // flights leave at 10:05, not at 10:06:39.499
  const departureMs = today + random.integer(1, 90) * dayMs + random.integer(0, 287) * fiveMinutesMs;
  return {
    flightNumber: `${code}${random.integer(10, 2_999)}`,
    airline,
    departure: flightEnd(random, from, departureMs),
    arrival: flightEnd(random, to, departureMs + random.integer(24, 160) * fiveMinutesMs),
  };
}

/** A seat such as `14C`. */
export function seatNumber(random: Random): string {
  return `${random.integer(1, 42)}${random.pick(['A', 'B', 'C', 'D', 'E', 'F'])}`;
}

function flightEnd(random: Random, airport: Airport, timeMs: number): FlightEnd {
  return {
    ...airport,
    timestamp: new Date(timeMs).toISOString(),
    gate: `${random.pick(['A', 'B', 'C', 'D'])}${random.integer(1, 60)}`,
    terminal: String(random.integer(1, 4)),
  };
}
