// BusyError: this process has more to do than it takes on.

import type { BusyCode } from '../../db/errors.ts';
import type { Entry } from '../error-catalogue.ts';

export const busyErrors: Record<BusyCode, Entry> = {
  HASHING_BUSY: {
    class: 'BusyError',
    happened:
      'A bcrypt hash was to be computed (for a password, or an API key of the old kind), and too many callers wait for that already.',
    causes: [
      'many people sign in at the same moment, for instance behind an outage',
      'somebody tries passwords, or API keys of the old kind, one after the other',
      'a cost that is too high for this machine: each step doubles the time',
    ],
    actions: [
      'Answer with 429 or 503, and let the caller try again in some seconds.',
      'Limit sign-ins by address and by account before they get here.',
      'Raise `maxWaiting` with `configurePasswords()` where callers can wait longer: each waits for those before it.',
    ],
    example: {
      message: '0 callers wait already for one of 1 places to compute a bcrypt hash',
      hint: 'Answer with 429 or 503, and let the caller try again in some seconds. Limit sign-ins by address and account.',
    },
    written: 'Nothing.',
    repeat: 'Safe, a little later.',
  },
};
