// Fills the `[[name]]` places of a text, so that the same question comes back about another town or sum.
// Within one turn a name keeps its value: the answer speaks of the city that was asked about.

import type { Random } from './random.ts';

const choices: Record<string, readonly string[]> = {
  city: ['Lisbon', 'Kyoto', 'Montréal', 'Haifa', 'São Paulo', 'Zürich', 'Nairobi', 'Reykjavík', 'Hanoi', 'Kraków'],
  otherCity: ['Tel Aviv', 'New York', 'Paris', 'Singapore', 'Athens', 'London', 'Dubai', 'Berlin', 'Rome', 'Sydney'],
  hebrewCity: ['תל אביב', 'חיפה', 'באר שבע', 'ירושלים', 'אילת', 'נתניה', 'צפת', 'רחובות'],
  person: ['Maya', 'Daniel', 'Wei', 'Zoë', 'Amir', 'Priya', 'Łukasz', "O'Brien", 'Noor', 'Tomás'],
  hebrewPerson: ['נועה', 'איתי', 'שירה', 'יונתן', 'תמר', 'עומר', "ג'ני"],
  weekday: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'],
  hebrewWeekday: ['ראשון', 'שני', 'שלישי', 'רביעי', 'חמישי'],
  hour: ['07:15', '08:40', '10:05', '12:30', '14:55', '17:20', '19:45', '22:10'],
  dish: ['shakshuka', 'mushroom risotto', 'lentil soup', 'pad thai', 'ratatouille', 'chana masala', 'focaccia'],
  project: ['Heron', 'the March release', 'Blue Door', 'the billing rewrite', 'Atlas', 'the garden shed'],
  airline: ['El Al', 'Lufthansa', 'Air France', 'TAP', 'United', 'Emirates'],
};

const ranges: Record<string, readonly [minimum: number, maximum: number]> = {
  few: [2, 9],
  number: [11, 98],
  amount: [105, 1_950],
};

/**
 * A filler for one turn: give it each text of the turn.
 * @throws RangeError for a name that is not known: a misspelt one would show up in the data
 */
export function createFiller(random: Random): (text: string) => string {
  const values = new Map<string, string>();
  function value(name: string): string {
    const known = values.get(name);
    if (known !== undefined) return known;
    const drawn = draw(random, name);
    values.set(name, drawn);
    return drawn;
  }
  return (text) => text.replace(/\[\[(\w+)\]\]/g, (_place, name: string) => value(name));
}

function draw(random: Random, name: string): string {
  const choice = choices[name];
  if (choice) return random.pick(choice);
  const range = ranges[name];
  if (range) return String(random.integer(...range));
  throw new RangeError(`A sample text asks for [[${name}]], which has no values.`);
}
