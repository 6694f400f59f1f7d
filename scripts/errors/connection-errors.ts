// ConnectionError: something between this process and the database.

import type { ConnectionCode } from '../../db/errors.ts';
import type { Entry } from '../error-catalogue.ts';

export const connectionErrors: Record<ConnectionCode, Entry> = {
  ACCESS_REFUSED: {
    class: 'ConnectionError',
    happened: 'The server was reached and did not let this process in, or its certificate was not accepted.',
    causes: [
      'a wrong user or password (SQLSTATE 28P01), or a rule of `pg_hba.conf` (28000)',
      'the database does not exist (3D000)',
      'a certificate that is self-signed, expired or made for another host',
    ],
    actions: [
      'Correct user, password and database name in `POSTGRES_URL`; percent-encode @ : / ? # in the password.',
      'Create the database: `createdb name`, or in the console of your provider.',
      'For a certificate of a private authority name its file: `?sslrootcert=/path/ca.crt` in the URL.',
    ],
    example: {
      message: 'localhost:5432/assistant refused the connection (SQLSTATE 28P01)',
      hint: 'Correct user and password in POSTGRES_URL, or pg_hba.conf of the server.',
    },
    written: 'Nothing was sent.',
    repeat: 'Safe, and useless until the set-up is corrected.',
  },
  CONNECTION_LOST: {
    class: 'ConnectionError',
    happened: 'The connection broke while a read ran, or inside a transaction, which the server then rolled back.',
    causes: [
      'the server was restarted or failed over (SQLSTATE 57P01, 57P02)',
      'a firewall or pooler dropped the connection',
      'an administrator ended it with `pg_terminate_backend` (57P01)',
    ],
    actions: [
      'Call again: the next call opens a new connection.',
      'Where it happens often, read the server’s log of that minute.',
    ],
    example: {
      message: 'the connection to localhost:5432/assistant broke and the transaction was rolled back',
      hint: 'Call again: nothing was written.',
    },
    written: 'Nothing.',
    repeat: 'Safe. Of a transaction repeat the whole, not the one statement.',
  },
  DATABASE_CLOSED: {
    class: 'ConnectionError',
    happened: 'The database was closed while this call waited for a connection, or before it.',
    causes: [
      '`closeDatabase()` while requests are still coming in',
      'a query inside `run()` of a database whose `close()` was called',
    ],
    actions: ['Stop taking requests, wait for those under way, then close.'],
    example: {
      message: 'the database was closed while this call waited, or before it',
      hint: 'Call closeDatabase() after the last query; the next query opens the database again.',
    },
    written: 'Nothing by this call. Statements that had begun were finished.',
    repeat: 'Safe: a query after `closeDatabase()` opens the default database again.',
  },
  DATABASE_MISSING: {
    class: 'ConnectionError',
    happened: '`mytx health` was asked about an embedded database that nobody has made yet.',
    causes: [
      'nothing has opened it so far: the first query of an application makes it, and so does `npm start`',
      'the command was run in another folder: `.mytx/` is looked for in the current one',
      '`POSTGRES_URL` is not set here, so that no server is meant',
    ],
    actions: ['`npx mytx start`, or the application.', 'Set `POSTGRES_URL`, in the environment or in `.env.local`.'],
    example: {
      message: 'there is no embedded database in .mytx/database yet',
      hint: 'Make one with npx mytx start, or name a server in POSTGRES_URL.',
    },
    written: 'Nothing: none is made.',
    repeat: 'Safe.',
  },
  DATABASE_OPEN: {
    class: 'ConnectionError',
    happened: '`openDatabase(options)` was called when the default database was open already.',
    causes: [
      'a query ran before it, which opened the database as the environment says',
      'two places that both open it with options',
    ],
    actions: [
      'Call `openDatabase(options)` first thing when the process starts.',
      'For a second database use `createDatabase(options)`.',
      'Without options the call is always fine: it says what is open.',
    ],
    example: {
      message: 'the database is open already, and options were given',
      hint: 'Call openDatabase(options) before the first query, or closeDatabase() first.',
    },
    written: 'Nothing.',
    repeat: 'Safe after `closeDatabase()`.',
  },
  DEADLINE_EXCEEDED: {
    class: 'ConnectionError',
    happened: 'A statement took longer than it may, or the signal of `withDeadline` was aborted.',
    causes: [
      'a statement over `statementTimeoutMs` (30 s unless given), for instance one that waits for a lock',
      'the time of `withDeadline` is over: `details.expiry` is `deadline`, for a signal it is `signal`',
      'a server or a network that does not answer',
    ],
    actions: [
      'Look at what the statement waited for: `pg_stat_activity` and `pg_locks` of that minute.',
      'Give it more time with `withDeadline({ timeoutMs })` or `deadlines` of `openDatabase`.',
    ],
    example: {
      message: 'the caller’s signal was aborted (embedded, in memory): nothing was sent',
      hint: 'Call again with more time (withDeadline, statementTimeoutMs), or find out what the statement waited for.',
    },
    written:
      'Nothing: the server canceled the statement, or it was a read, or its transaction was rolled back. A write without an answer is OUTCOME_UNKNOWN instead.',
    repeat: 'Safe. Of a transaction repeat the whole.',
  },
  EMBEDDED_IN_USE: {
    class: 'ConnectionError',
    happened: 'Another process that is alive has this embedded database open.',
    causes: [
      'the application is running in another terminal while a command opens the same `.mytx/`',
      'a test runner with several workers and one folder',
      'the same process opened it before: `details.pid` is its own',
      'an application has the [folder of PGlite](../deploying.md#a-folder-of-pglite) open that `drizzle.config.ts` names, or another `mytx` has it',
      'where it can’t be seen who has it open (Windows), such a folder has a `postmaster.pid`: it is open, or was when its process was killed',
    ],
    actions: [
      'Come in through its owner: set `POSTGRES_URL` to `details.url`, or give that to `psql` ([how](../embedded.md#come-in-from-another-process)).',
      'Stop the other process; `details.pid` is its id. One that was killed needs nothing: its claim is taken over.',
      'Give each process a folder of its own: `openDatabase({ folder })`.',
      'A folder of PGlite has no way in: stop the application, and start it again behind the command. `mytx lint --offline` needs no database.',
      'Use a PostgreSQL server, which many processes share.',
    ],
    example: {
      message:
        'the embedded database in .mytx is in use by process 4711 since 2026-08-01T09:00:00.000Z, last heard from 1 s ago',
      hint: "Come in through its owner: POSTGRES_URL='postgres://postgres@localhost/postgres?host=/home/dana/app/.mytx/socket'. Or stop that process.",
    },
    written: 'Nothing: the database was not opened.',
    repeat: 'Safe, once the other process has ended.',
  },
  EMBEDDED_LOST: {
    class: 'ConnectionError',
    happened: 'This process is not the owner of the embedded database any more, or the PostgreSQL inside it has ended.',
    causes: [
      'the file `owner.pid` was removed by hand, or the whole folder',
      'the folder is shared by two machines or containers, and this one was silent for more than a minute: the other took it over',
      'PostgreSQL inside the process ended, for want of memory',
    ],
    actions: [
      'Close the database, which then writes nothing any more, and open it again; or end the process.',
      'Share a PostgreSQL server between machines, not a folder.',
    ],
    example: {
      message: 'the embedded database in .mytx is not this process’s any more: its file owner.pid was removed',
      hint: 'Nothing more is sent to it. Close the database and open it again.',
    },
    written:
      'Nothing by this call. What earlier calls wrote is there, unless both processes wrote for a moment: look before you go on.',
    repeat: 'Safe, in vain until the database was closed and opened again.',
  },
  EMBEDDED_MISSING: {
    class: 'ConnectionError',
    happened: 'There is no `POSTGRES_URL`, and the embedded PostgreSQL can’t be loaded: its package is not found.',
    causes: [
      'the application was bundled and runs where its `node_modules` are not (a container, a serverless function)',
      'POSTGRES_URL is not set there, so that the embedded database was chosen',
    ],
    actions: [
      'In production set `POSTGRES_URL`: a server keeps what is written, a container’s folder does not.',
      'For the embedded database install `mytx-ai` where the application runs; in Next.js name it in `serverExternalPackages`.',
    ],
    example: {
      message: 'the embedded database needs the package @electric-sql/pglite, which is not found from /srv/app',
      hint: 'Set POSTGRES_URL to use a server. Or install mytx-ai where the application runs, and tell the bundler to leave it out: serverExternalPackages: ["mytx-ai"] in next.config.',
    },
    written: 'Nothing: no database was opened.',
    repeat: 'Safe, and useless until the package or a server is there.',
  },
  EMBEDDED_VERSION: {
    class: 'ConnectionError',
    happened:
      'The embedded database was made by another major version of PostgreSQL, and its data can’t be carried over by itself.',
    causes: [
      'a new PGlite was installed while the database was open in a process that was killed: its newest dump does not have everything',
      'snapshots were switched off, or their files are gone or damaged',
      'an older PGlite than the one that made the database (a branch or a checkout from before an update)',
      '`drizzle.config.ts` names a [folder of PGlite](../deploying.md#a-folder-of-pglite) of another version, or the folder of a server',
    ],
    actions: [
      'Install the versions from before (an older checkout and `npm ci`), open the database and close it: `npm start -- --once` saves a dump with everything. Then install the new ones; the next opening carries the data over.',
      'Where what was written after the newest snapshot may be lost, `npx mytx restore` with its name; the old database is kept beside the new one.',
      'A folder of PGlite itself: apply the migrations with the PGlite that made it, by `drizzle-orm/pglite/migrator`, or carry its rows over first, with `pgDump` of `@electric-sql/pglite-tools`.',
      '`details.made` and `details.installed` are the two versions, `details.snapshot` is the snapshot.',
    ],
    example: {
      message:
        'the embedded database in .mytx was made by PostgreSQL 17; installed is PostgreSQL 18, and no dump has all of its data; there is no snapshot of it',
      hint: 'Nothing was touched. Either open and close it once with the versions that made it (@electric-sql/pglite 0.3.16), which saves a dump.',
    },
    written: 'Nothing: the database was not opened.',
    repeat: 'Safe, and useless until a dump has everything or another version is installed.',
  },
  INVALID_URL: {
    class: 'ConnectionError',
    happened: '`POSTGRES_URL` (or `url`) is not a connection URL of PostgreSQL that is understood.',
    causes: [
      'an @, :, /, ? or # in the password that is not percent-encoded',
      'a scheme other than `postgres://` or `postgresql://`, or no host or database name',
      'a parameter that is not known, twice there, or joined by a second `?` instead of `&`',
      '`options` together with `pgbouncer=true`: [a pooler](../poolers.md) takes no options',
    ],
    actions: [
      'Write `postgres://user:password@host:5432/database`. Known parameters: sslmode, sslrootcert, host, application_name, options, pgbouncer.',
      'Encode the password: `node -p "encodeURIComponent(\'p@ss\')"`.',
    ],
    example: {
      message: 'POSTGRES_URL begins with "mysql:" instead of postgres://',
      hint: 'Write it as postgres://user:password@host:5432/database; percent-encode @ : / ? # in the password.',
    },
    written: 'Nothing was sent.',
    repeat: 'Safe, and useless until the URL is corrected.',
  },
  OUTCOME_UNKNOWN: {
    class: 'ConnectionError',
    happened: 'The connection broke after a write or a commit was sent and before the server said whether it was done.',
    causes: ['the server, the network or a pooler went down at that moment'],
    actions: [
      'Call again with the same arguments and `details.repeatWith`, where it is given: what was written is then not written twice.',
      'Where it is not given, read first what is there. Writes that set a value or delete a row may be repeated as they are.',
      'Of a `transaction()` repeat the whole only if its writes carry ids of yours.',
    ],
    example: {
      message: 'the connection to localhost:5432/assistant broke before the server said whether the write was done',
      hint: 'Call again with the same arguments and `details.repeatWith`, where it is given: what was written is not written twice.',
    },
    written: 'Not known: all of it, or nothing.',
    repeat: 'Safe with `details.repeatWith`; see [queries](../queries.md#repeat-safely).',
  },
  PLAINTEXT_REFUSED: {
    class: 'ConnectionError',
    happened: 'The URL asks for a connection without TLS to a host that is not this machine.',
    causes: ['`sslmode=disable`, `allow` or `prefer` in the URL of a remote server'],
    actions: [
      'Leave `sslmode` out (TLS with a verified certificate), or use `sslmode=verify-full`.',
      'On a private network that you trust, set `MYTX_ALLOW_PLAINTEXT=1`.',
    ],
    example: {
      message: 'sslmode=disable lets the connection to db.example.com go without TLS',
      hint: 'Use sslmode=verify-full or leave sslmode out. For a network you trust, set MYTX_ALLOW_PLAINTEXT=1.',
    },
    written: 'Nothing was sent.',
    repeat: 'Safe, and useless until the URL is corrected.',
  },
  POOLER_UNDECLARED: {
    class: 'ConnectionError',
    happened: 'A pooler in transaction mode answered where `POSTGRES_URL` does not say that there is one.',
    causes: [
      'PgBouncer refused what a session is told at its start (`unsupported startup parameter`)',
      'PgBouncer passed that over, but one connection was answered by two server processes, or two by the same',
    ],
    actions: [
      'Add `pgbouncer=true` to the parameters of `POSTGRES_URL`: see [behind PgBouncer](../poolers.md).',
      'Or connect to the server itself, with its own host and port.',
      'A pooler in session mode has to pass the parameters over: `ignore_startup_parameters = statement_timeout, idle_in_transaction_session_timeout`.',
    ],
    example: {
      message: 'localhost:6432/assistant is a pooler, and POSTGRES_URL does not say pgbouncer=true',
      hint: 'Add pgbouncer=true to the parameters of POSTGRES_URL (?pgbouncer=true), or connect to the server itself.',
    },
    written: 'Nothing: the database was not opened.',
    repeat: 'Safe, and useless until the URL is corrected.',
  },
  POOL_EXHAUSTED: {
    class: 'ConnectionError',
    happened: 'No connection was free: too many callers wait already, or none was given back in time.',
    causes: [
      'more than `maxWaiting` callers (1,000 unless given) in line',
      'a wait over `poolWaitMs` (10 s unless given): slow statements, or transactions that wait for something else',
    ],
    actions: [
      'Answer the request with "try again later"; `details` has the figures of the pool.',
      'Keep transactions short: no call of a model or another service inside `transaction()`.',
      'Raise `poolSize`, within what the server’s `max_connections` leaves for all processes.',
    ],
    example: {
      message: 'no free connection to embedded, in memory: 0 callers wait already',
      hint: 'Call again later. If it lasts, look for slow statements, or raise poolSize within what the server allows.',
    },
    written: 'Nothing was sent.',
    repeat: 'Safe, after a pause.',
  },
  SERVER_BUSY: {
    class: 'ConnectionError',
    happened: 'The server takes no connections now: it is full, or still starting.',
    causes: [
      'more processes times connections each than `max_connections` allows (SQLSTATE 53300)',
      'a restart or failover that is not over yet (57P03)',
    ],
    actions: [
      'Call again after a wait that grows.',
      'Lower `poolSize` (10 for each process unless given), put a pooler in front, or raise `max_connections`.',
    ],
    example: {
      message: 'localhost:5432/assistant takes no connections now (SQLSTATE 53300)',
      hint: 'Wait and call again. If it is full, lower the pool size or raise max_connections.',
    },
    written: 'Nothing by this call.',
    repeat: 'Safe, after a wait.',
  },
  TEST_DATABASE_REFUSED: {
    class: 'ConnectionError',
    happened: '`createTestDatabase` would make and drop databases on a server that is not for it.',
    causes: [
      '`MYTX_TEST_URL`, or `url`, names a server that is not on this machine',
      'the role may not create databases there',
    ],
    actions: [
      'Name a server on this machine, or leave `MYTX_TEST_URL` out: the test database is in memory then.',
      'Where a server elsewhere is for tests, pass `allowRemote: true`.',
      'For the right: `alter role <role> createdb`, as a superuser.',
    ],
    example: {
      message: 'db.example.com:5432/app is not on this machine, and tests would make and drop databases there',
      hint: 'If that server is for tests, say so: createTestDatabase({ allowRemote: true }). Otherwise set MYTX_TEST_URL to one on this machine, or leave it out.',
    },
    written: 'Nothing.',
    repeat: 'Safe, and useless until something is changed.',
  },
  UNREACHABLE: {
    class: 'ConnectionError',
    happened: 'No connection to the server could be made.',
    causes: [
      'the server does not run, or listens on another port (ECONNREFUSED)',
      'the host’s name does not resolve (ENOTFOUND)',
      'a firewall drops the packets (`timeout`, after 10 seconds)',
    ],
    actions: [
      'Check host and port in `POSTGRES_URL`; `details.reason` says what the network said.',
      'Allow this machine’s address where your provider has a list of them.',
      'Unset `POSTGRES_URL` to work on the embedded database meanwhile.',
    ],
    example: {
      message: 'no connection to localhost:5432/assistant (ECONNREFUSED)',
      hint: 'Check that the server runs and that host and port of POSTGRES_URL are right; nothing was sent.',
    },
    written: 'Nothing was sent.',
    repeat: 'Safe.',
  },
};
