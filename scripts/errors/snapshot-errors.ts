// SnapshotError: a snapshot of the embedded database could not be saved, found or restored.

import type { SnapshotCode } from '../../db/errors.ts';
import type { Entry } from '../error-catalogue.ts';

export const snapshotErrors: Record<SnapshotCode, Entry> = {
  SNAPSHOT_DAMAGED: {
    class: 'SnapshotError',
    happened: 'The files of a snapshot are not those that were written, so it is not restored.',
    causes: [
      'a file that was edited, cut or deleted',
      'a disk that returns other bytes than it was given',
      'a copy of the folder `snapshots` that was not finished',
    ],
    actions: [
      'Restore the older one that the hint names; `npx mytx restore --list` reads all of them and says which are whole.',
      'The `.tar.gz` and the `.sql` hold the same: where one of the two is whole, it can be loaded by hand.',
    ],
    example: {
      message: 'the snapshot 2026-10-08T12-30-05-123Z is damaged: 2026-10-08T12-30-05-123Z.sql is missing',
      hint: 'There is no older one that is whole. The database is as it was.',
    },
    written: 'Nothing: the database is as it was.',
    repeat: 'Safe. It fails in the same way until the files are back.',
  },
  SNAPSHOT_FAILED: {
    class: 'SnapshotError',
    happened: 'A snapshot of the embedded database could not be saved.',
    causes: [
      'a full disk (ENOSPC): a snapshot needs about a quarter of what the database does',
      'a folder `snapshots` in which this user may not write (EACCES), or a file with that name (ENOTDIR)',
    ],
    actions: [
      'Make room, correct the rights, then take one: `npx mytx snapshot`.',
      'Without snapshots: `MYTX_SNAPSHOTS_KEEP=0`, or `keepSnapshots: false`.',
      '`cause` is the error of the system.',
    ],
    example: {
      message: 'a snapshot of the embedded database in .mytx could not be saved: ENOTDIR',
      hint: 'Make room on the disk and see to it that this user may write there. The database itself is whole.',
    },
    written:
      'Everything but the snapshot. Where it was to be taken before migrations or a reset, those were not begun; where the database was being closed, it is closed.',
    repeat: 'Safe, once there is room.',
  },
  SNAPSHOT_NOT_FOUND: {
    class: 'SnapshotError',
    happened: 'There is no snapshot of that name, or none that this PostgreSQL can load.',
    causes: [
      'a name that was mistyped, or the beginning of several names',
      'a snapshot that newer ones have pushed out',
      'another folder than the one with the database',
      '`POSTGRES_URL` names a server: it has no snapshots',
    ],
    actions: ['See which there are: `npx mytx restore --list`.'],
    example: {
      message: 'there is no snapshot in .mytx/snapshots',
      hint: 'One is taken when the database is closed, or now: npx mytx snapshot',
    },
    written: 'Nothing.',
    repeat: 'Safe, with another name.',
  },
};
