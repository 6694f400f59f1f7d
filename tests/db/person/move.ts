// A process that exports a person into a file, erases them and imports them again, and says, as one line of JSON, what of it
// took how much memory. Arguments: the URL, the user's id, the file.

import { createReadStream } from 'node:fs';
import { closeDatabase, eraseUser, exportUserToFile, importUser, openDatabase } from '../../../db/index.ts';

const [url = '', userId = '', file = ''] = process.argv.slice(2);
const peakMiB = (): number => Math.round(process.resourceUsage().maxRSS / 1024);
await openDatabase({ url });
const beforeMiB = peakMiB();
const { lines, bytes } = await exportUserToFile(file, { userId });
const exportMiB = peakMiB();
const { rows: erased } = await eraseUser({ userId });
const { rows: imported } = await importUser(createReadStream(file));
await closeDatabase();
console.log(JSON.stringify({ lines, bytes, erased, imported, beforeMiB, exportMiB, importMiB: peakMiB() }));
