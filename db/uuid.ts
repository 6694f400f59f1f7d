// UUIDs of version 7 (RFC 9562): the time in milliseconds first, so that new rows go to one edge of an index.
// Node 20 has no generator of its own. Ids made by one process only ever grow, also within a millisecond
// and when the clock steps back: rows made in one statement keep their order.

import { randomFillSync } from 'node:crypto';

const randomBytes = Buffer.alloc(2048);
let randomOffset = randomBytes.length;
let lastTimeMs = 0;
let sequence = 0;

/** A new id, greater (as text and as `uuid`) than every id this process made before. */
export function uuidv7(): string {
  const nowMs = Date.now();
  if (nowMs > lastTimeMs) {
    lastTimeMs = nowMs;
    sequence = randomInteger() & 0x3ff; // starts low, so that 3,000 more fit into the millisecond
  } else if (++sequence > 0xfff) {
    lastTimeMs += 1;
    sequence = 0;
  }
  const time = lastTimeMs.toString(16).padStart(12, '0');
  const counter = (0x7000 | sequence).toString(16);
  const variant = (0x8000 | (randomInteger() & 0x3fff)).toString(16);
  const tail = [randomInteger(), randomInteger(), randomInteger()].map((n) => n.toString(16).padStart(4, '0')).join('');
  return `${time.slice(0, 8)}-${time.slice(8)}-${counter}-${variant}-${tail}`;
}

function randomInteger(): number {
  if (randomOffset === randomBytes.length) {
    randomFillSync(randomBytes);
    randomOffset = 0;
  }
  randomOffset += 2;
  return randomBytes.readUInt16BE(randomOffset - 2);
}
