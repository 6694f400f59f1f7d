// A flight for reservations of tests: every field that is checked, and some that are not.

import type { FlightReservation } from '../../db/reservation-details.ts';

export const flight: FlightReservation = {
  seats: ['12A', '12B'],
  flightNumber: 'LY 315',
  departure: {
    cityName: 'Tel Aviv',
    airportCode: 'TLV',
    timestamp: '2025-03-09T10:30:00Z',
    gate: 'C7',
    terminal: '3',
  },
  arrival: { cityName: 'London', airportCode: 'LHR', timestamp: '2025-03-09T15:45:00Z', gate: 'B4', terminal: '4' },
  passengerName: 'Dana Levi',
  totalPriceInUSD: 1250.5,
};
