// What the assistant was asked to remember: thirty sentences. Two people may share one; nobody has one twice.

import type { Random } from './random.ts';
import { chloe, daniel, maya } from './users.ts';

export interface SampleMemory {
  userEmail: string;
  content: string;
}

const shared = 'Prefers answers in bullet points';

const remembered: ReadonlyArray<readonly [userEmail: string, contents: readonly string[]]> = [
  [
    maya,
    [
      shared,
      'גרה בחיפה עם בן זוג ושני ילדים 👨‍👩‍👧‍👦',
      'אלרגית לבוטנים 🥜 (חשוב!)',
      'העברית היא שפת האם, אבל מיילים לעבודה כותבת ב־English',
      'Flies El Al where possible, frequent flyer number ends in 417',
      'Window seat, never the last row',
      'Budget for the spring trip: $2,400 for four',
      'Learning Portuguese since January',
      'Calls her mother every Sunday at 18:00',
      'Does not eat meat; fish is fine 🐟',
      'Works on project Heron until the end of the year',
      'The dog is called "Pixel"',
      'יום ההולדת של נועה: 14 במרץ 🎂',
      'Dislikes exclamation marks in business mail',
      'Uses Fahrenheit for ovens only',
      'Passport expires 2028-05-30',
      'Allergic to penicillin',
      'Prefers TypeScript examples over Python',
    ],
  ],
  [
    daniel,
    [
      shared,
      'Lives in Nairobi 🇰🇪, time zone UTC+3',
      'Runs 10 km on Tuesdays and Saturdays 🏃🏿‍♂️',
      'Backs up photos to D:\\photos\\"by year"',
      'Studies statistics in the evening, exam in December',
      'Sister Adaeze lives in Montréal',
      'Cannot stand coriander 🌿',
      'Wants to be asked before anything is paid',
      'Reads on a phone: keep tables narrow',
    ],
  ],
  [chloe, ['母语是中文，也说法语和英语', 'Végétarienne depuis 2019', 'Signs letters with « Bien à vous »']],
];

/** Thirty memories, each person's in an order of their own. */
export function sampleMemories(random: Random): SampleMemory[] {
  return remembered.flatMap(([userEmail, contents]) =>
    random.shuffle(contents).map((content) => ({ userEmail, content })),
  );
}
