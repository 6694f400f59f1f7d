// Turns in which the assistant calls tools: what was asked, each call with its input and output, what it then says.
// Says nothing of how a message carries a call: core-messages.ts and ui-messages.ts each have their shape for it.
// Outputs are plain JSON (no Date, no undefined), nested as real ones are.

import { createFiller } from './fill-ins.ts';
import { flight, route } from './flights.ts';
import type { Random } from './random.ts';

export interface ToolCall {
  toolName: string;
  input: Record<string, unknown>;
  output: unknown;
}

export interface ToolTurn {
  question: string;
  /** One after the other; the calls of one step are made at the same time. */
  steps: ToolCall[][];
  answer: string;
}

/** A turn whose one call failed. */
export interface FailedTurn {
  question: string;
  toolName: string;
  input: Record<string, unknown>;
  errorText: string;
  answer: string;
}

/** A call that the user has to allow first. */
export interface GuardedTurn {
  question: string;
  toolName: string;
  input: Record<string, unknown>;
  refusalReason: string;
  answer: string;
}

/** An id of a call, as providers make them. */
export function newToolCallId(random: Random): string {
  return `call_${random.letters(24)}`;
}

type Fill = (text: string) => string;
type ToolTurnMaker = (random: Random, startTime: Date, fill: Fill) => ToolTurn;

/** A turn with one tool call, and its result. */
export function oneCallTurn(random: Random, startTime: Date): ToolTurn {
  const make = random.pick([weather, flightSearch, addTask, saveMemory, runTests, convertUnits, flightStatus]);
  return make(random, startTime, createFiller(random));
}

/** Two towns at once: two calls in one step. */
export function parallelCallsTurn(random: Random): ToolTurn {
  const fill = createFiller(random);
  const cities = [fill('[[city]]'), fill('[[otherCity]]')];
  return {
    question: fill('Is it warmer in [[city]] or in [[otherCity]] this week? 🌡️'),
    steps: [
      cities.map((city) => ({ toolName: 'getWeather', input: { city, days: 2 }, output: forecast(random, city, 2) })),
    ],
    answer: fill('[[city]], by a few degrees. Take a jacket to [[otherCity]].'),
  };
}

/** Search, seats, reservation: three steps, each standing on the one before. */
export function bookingTurn(random: Random, startTime: Date): ToolTurn {
  const fill = createFiller(random);
  const [from, to] = route(random);
  const found = flight(random, startTime, [from, to]);
  const { flightNumber } = found;
  const rows = seatMap(random);
  const seat = random.pick(rows)[0]?.seatNumber ?? '';
  const price = random.integer(120, 1_900);
  const input = { flightNumber, seats: [seat], totalPriceInUSD: price, passengerName: fill('[[person]]') };
  const search = { origin: from.cityName, destination: to.cityName };
  return {
    question: fill(`Book me ${from.cityName} to ${to.cityName}, window seat, name [[person]] please`),
    steps: [
      [{ toolName: 'searchFlights', input: search, output: { flights: [found] } }],
      [{ toolName: 'selectSeats', input: { flightNumber }, output: { seats: rows } }],
      [
        {
          toolName: 'createReservation',
          input,
          output: { id: `res_${random.letters(10)}`, hasCompletedPayment: false },
        },
      ],
    ],
    answer: `Seat ${seat} on ${flightNumber} is held for you, $${price}. Shall I open the payment? 💳`,
  };
}

/** A call that failed, and what the assistant makes of it. */
export function failedTurn(random: Random): FailedTurn {
  const fill = createFiller(random);
  return random.pick([
    {
      question: fill('What is the weather in [[city]] right now?'),
      toolName: 'getWeather',
      input: { city: fill('[[city]]') },
      errorText: 'The weather service did not answer within 5,000 ms (ETIMEDOUT).',
      answer: 'The weather service is not answering. I can try again in a minute.',
    },
    {
      question: fill('Open C:\\reports\\[[number]].xlsx and give me the total'),
      toolName: 'readSpreadsheet',
      input: { path: fill('C:\\reports\\[[number]].xlsx'), sheet: 'Sum "2026"' },
      errorText: fill("ENOENT: no such file or directory, open 'C:\\reports\\[[number]].xlsx'"),
      answer: 'There is no such file. Is it perhaps still open in another program, under another name?',
    },
    {
      question: fill('תבדוק את מצב הטיסה [[amount]] של [[airline]]'),
      toolName: 'displayFlightStatus',
      input: { flightNumber: fill('[[amount]]') },
      errorText: 'A flight number begins with the two letters of the airline, as in LY315.',
      answer: 'חסר קוד חברת התעופה (למשל LY). מה האותיות שלפני המספר?',
    },
  ]);
}

/** A call with consequences: it waits for the user's word, or was refused. */
export function guardedTurn(random: Random): GuardedTurn {
  const fill = createFiller(random);
  return random.pick([
    {
      question: fill('Pay the [[amount]] dollars for the flight'),
      toolName: 'authorizePayment',
      input: { amountInUSD: Number(fill('[[amount]]')), reservationId: `res_${random.letters(10)}` },
      refusalReason: 'I want to compare prices first',
      answer: 'Understood, nothing was charged.',
    },
    {
      question: fill('Delete all tasks about [[project]]'),
      toolName: 'deleteTasks',
      input: { query: fill('[[project]]'), count: Number(fill('[[number]]')) },
      refusalReason: 'רק את אלה שהושלמו, לא את כולן',
      answer: 'I have deleted nothing. Shall I list the completed ones?',
    },
    {
      question: fill('Send [[person]] the summary by mail'),
      toolName: 'sendEmail',
      input: {
        to: 'team@example.com',
        subject: fill('Summary for [[person]]'),
        body: fill('Dear [[person]],\n\nattached.\n'),
      },
      refusalReason: 'wrong address',
      answer: 'Not sent. Which address should I use?',
    },
  ]);
}

const weather: ToolTurnMaker = (random, _startTime, fill) => {
  const city = fill('[[city]]');
  const hebrew = random.chance(30);
  return {
    question: hebrew ? `מה מזג האוויר ב־${city} מחר?` : `What is the weather like in ${city}?`,
    steps: [[{ toolName: 'getWeather', input: { city, days: 3 }, output: forecast(random, city, 3) }]],
    answer: hebrew ? `ב־${city} נעים, בלי גשם. 🌤️` : `Mild in ${city}, with a little wind. No umbrella needed. 🌤️`,
  };
};

const flightSearch: ToolTurnMaker = (random, startTime, fill) => {
  const [from, to] = route(random);
  const flights = Array.from({ length: random.integer(2, 4) }, () => ({
    id: `result_${random.letters(8)}`,
    ...flight(random, startTime, [from, to]),
    priceInUSD: random.integer(90, 1_900) + 0.5,
    numberOfStops: random.integer(0, 2),
  }));
  return {
    question: fill(`Find me flights from ${from.cityName} to ${to.cityName}, not before [[hour]]`),
    steps: [
      [{ toolName: 'searchFlights', input: { origin: from.cityName, destination: to.cityName }, output: { flights } }],
    ],
    answer: `I found ${flights.length}. The cheapest is not the one with the fewest stops; which matters more to you?`,
  };
};

const flightStatus: ToolTurnMaker = (random, startTime) => {
  const found = flight(random, startTime, route(random));
  return {
    question: `Is ${found.flightNumber} on time?`,
    steps: [
      [
        {
          toolName: 'displayFlightStatus',
          input: { flightNumber: found.flightNumber },
          output: { ...found, isOnTime: true },
        },
      ],
    ],
    answer: `${found.flightNumber} leaves from gate ${found.departure.gate}, on time. 🛫`,
  };
};

const addTask: ToolTurnMaker = (random, _startTime, fill) => ({
  question: fill('Remind me to call [[person]] on [[weekday]] at [[hour]]'),
  steps: [
    [
      {
        toolName: 'addTask',
        input: { description: fill('Call [[person]], [[weekday]] [[hour]]') },
        output: { success: true, taskId: random.letters(12), tags: [], dueAt: null },
      },
    ],
  ],
  answer: fill('Done: "Call [[person]]", [[weekday]] [[hour]]. ✅'),
});

const saveMemory: ToolTurnMaker = (random, _startTime, fill) => ({
  question: fill('תזכור שאני גר ב[[hebrewCity]] ושיש לי [[few]] חתולים 🐈'),
  steps: [
    [
      {
        toolName: 'saveMemory',
        input: { content: fill('גר ב[[hebrewCity]], [[few]] חתולים') },
        output: { success: true, memoryId: random.letters(12) },
      },
    ],
  ],
  answer: fill('רשמתי: [[hebrewCity]], [[few]] חתולים. 😺'),
});

const runTests: ToolTurnMaker = (random, _startTime, fill) => {
  const passed = random.integer(20, 400);
  return {
    question: fill('Run the tests of [[project]] and tell me what fails'),
    steps: [
      [
        {
          toolName: 'runTests',
          input: { pattern: 'tests/**/*.test.ts', environment: { TZ: 'UTC', FORCE_COLOR: '0' } },
          output: { passed, failed: 1, output: `not ok ${passed + 1} - reads "C:\\\\temp"\n\tat file.ts:12:7\r\n` },
        },
      ],
    ],
    answer: `${passed} pass, 1 fails: the path test. It compares with \`"C:\\temp"\`, where \`\\t\` is a tab.`,
  };
};

const convertUnits: ToolTurnMaker = (_random, _startTime, fill) => {
  const miles = Number(fill('[[number]]'));
  const kilometres = Math.round(miles * 1_609.344) / 1_000;
  return {
    question: `${miles} miles in km?`,
    steps: [[{ toolName: 'convertUnits', input: { value: miles, from: 'mi', to: 'km' }, output: kilometres }]],
    answer: `${kilometres} km.`,
  };
};

function forecast(random: Random, city: string, days: number): Record<string, unknown> {
  return {
    city,
    unit: '°C',
    days: Array.from({ length: days }, (_day, day) => ({
      day,
      low: random.integer(-8, 14),
      high: random.integer(15, 36),
      rain: random.integer(0, 100) / 100,
      summary: random.pick(['sunny ☀️', 'cloudy', 'light rain 🌧️', 'בהיר', '多云']),
    })),
  };
}

/** Three rows of four; the window seat on the left is always free. */
function seatMap(random: Random): Array<Array<{ seatNumber: string; priceInUSD: number; isAvailable: boolean }>> {
  const firstRow = random.integer(2, 38);
  return Array.from({ length: 3 }, (_row, row) =>
    ['A', 'B', 'C', 'D'].map((letter) => ({
      seatNumber: `${firstRow + row}${letter}`,
      priceInUSD: random.integer(10, 99),
      isAvailable: letter === 'A' || random.chance(60),
    })),
  );
}
