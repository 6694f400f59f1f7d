// What people still have to do, or have done: twenty-four tasks in every status, some due, some overdue.

import type { TaskStatus } from '../task-status.ts';
import type { Random } from './random.ts';
import { chloe, daniel, maya } from './users.ts';

export interface SampleTask {
  userEmail: string;
  description: string;
  status: TaskStatus;
  dueAt: Date | null;
}

const hourMs = 3_600_000;

/** The last number is how many days after the start it is due; null is never, less than 0 is overdue or long done. */
type Planned = readonly [userEmail: string, status: TaskStatus, description: string, dueInDays: number | null];

const planned: readonly Planned[] = [
  [maya, 'pending', 'Renew the passports of both children', 30],
  [maya, 'pending', 'לקנות מתנה לנועה 🎁', 12],
  [maya, 'pending', 'Ask the landlord about the "small" leak', null],
  [maya, 'pending', 'Pay the electricity bill', -2],
  [maya, 'in_progress', 'Plan the spring trip to Lisbon', 60],
  [maya, 'in_progress', 'לכתוב סיכום של 2 עמודים לפרויקט Heron', 3],
  [maya, 'in_progress', 'Portuguese: lesson 14', null],
  [maya, 'completed', 'Book seats 14A and 14B', -20],
  [maya, 'completed', 'Call the dentist', -9],
  [maya, 'completed', 'Order flour, 5 kg', null],
  [maya, 'completed', 'להחזיר ספרים לספרייה', -31],
  [maya, 'completed', 'Send the invoice for October', -1],
  [maya, 'cancelled', 'Sign up for the marathon 🏃🏽‍♀️', -14],
  [maya, 'cancelled', 'Buy a second suitcase', null],
  [daniel, 'pending', 'Revise chapter 7: confidence intervals', 21],
  [daniel, 'pending', 'Move the photos off C:\\Users\\daniel', null],
  [daniel, 'in_progress', 'Fix the flaky test in tests/retry.test.ts', 1],
  [daniel, 'in_progress', "Write Adaeze's birthday letter", 8],
  [daniel, 'completed', 'Review pull request #1042', -4],
  [daniel, 'completed', 'Water the plants 🪴', null],
  [daniel, 'cancelled', 'Compare phone contracts', -40],
  [chloe, 'pending', 'Rendre les clés de l’appartement', 15],
  [chloe, 'in_progress', '翻译会议记录（第 3 部分）', 5],
  [chloe, 'completed', 'Réserver le train pour Lyon 🚄', -6],
];

/** Twenty-four tasks, due around `startTime`. */
export function sampleTasks(random: Random, startTime: Date): SampleTask[] {
  return random.shuffle(planned).map(([userEmail, status, description, dueInDays]) => ({
    userEmail,
    description,
    status,
    dueAt: dueInDays === null ? null : dueAt(random, startTime, dueInDays),
  }));
}

function dueAt(random: Random, startTime: Date, days: number): Date {
  return new Date(startTime.getTime() + (days * 24 + random.integer(-2, 9)) * hourMs);
}
