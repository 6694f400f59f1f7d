// SeedError: sample data that is not for this database.

import type { SeedCode } from '../../db/errors.ts';
import type { Entry } from '../error-catalogue.ts';

export const seedErrors: Record<SeedCode, Entry> = {
  SEED_REFUSED: {
    class: 'SeedError',
    happened: '`mytx seed` does not load the sample assistant into this database. It exits with 3.',
    causes: [
      '`NODE_ENV` is `production`, or `POSTGRES_URL` names a server on another machine: the passwords of the sample are in the open',
      '`--messages`, and a database with users: rows are added to nobody’s data',
      '`--messages`, and a `POSTGRES_URL` of an embedded database that another process has open, which takes no COPY from here',
    ],
    actions: [
      'Another database: a server of this machine in `POSTGRES_URL`, or none, for the embedded one.',
      'Where the rows do not matter, `npx mytx reset` deletes all of them first.',
      'Close the embedded database in the other process (Ctrl-C in `npm start`), unset `POSTGRES_URL`, and run it again.',
    ],
    example: {
      message:
        'db.example.com:5432/assistant is not on this machine: migrations are not applied and the sample assistant is not loaded',
      hint: 'The passwords of the sample are in the open: load it into a database for development on this machine.',
    },
    written: 'Nothing, but the migrations that a server of this machine lacked.',
    repeat: 'Safe, and useless until it is another database, or an empty one.',
  },
};
