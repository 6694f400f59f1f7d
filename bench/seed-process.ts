// The process that bench/seed.ts measures: what mytx seed does, and how much memory it took, as one line of JSON. The URL is in BENCH_URL.

import { closeDatabase } from '../db/database.ts';
import { findTarget, seedDevelopment } from '../db/development.ts';

const target = findTarget({ url: process.env.BENCH_URL, allowPlaintext: false, isProduction: false });
const silent = { onProgress: (): void => {}, onCount: (): void => {} };
const { seconds, messagesPerSecond } = await seedDevelopment(target, { ...silent, messages: Number(process.argv[2]) });
await closeDatabase();
const peakMiB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ seconds, messagesPerSecond, peakMiB }));
