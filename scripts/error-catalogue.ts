// What there is to say of each error code, for docs/errors/ (npm run docs:errors). A code without an entry does not
// compile; tests/docs/errors.test.ts provokes the examples, so that they are what is really thrown.

import type { CliErrorCode } from '../cli/exit-codes.ts';
import type { MytxErrorCode } from '../db/errors.ts';
import type { DeployErrorCode } from '../deploy/errors.ts';
import type { InitErrorCode } from '../init/errors.ts';
import { accessErrors } from './errors/access-errors.ts';
import { argumentErrors } from './errors/argument-errors.ts';
import { busyErrors } from './errors/busy-errors.ts';
import { cliErrors } from './errors/cli-errors.ts';
import { connectionErrors } from './errors/connection-errors.ts';
import { deployErrors } from './errors/deploy-errors.ts';
import { encryptionErrors } from './errors/encryption-errors.ts';
import { initErrors } from './errors/init-errors.ts';
import { limitErrors } from './errors/limit-errors.ts';
import { personErrors } from './errors/person-errors.ts';
import { rowErrors } from './errors/row-errors.ts';
import { seedErrors } from './errors/seed-errors.ts';
import { snapshotErrors } from './errors/snapshot-errors.ts';
import { statementErrors } from './errors/statement-errors.ts';
import { transactionErrors } from './errors/transaction-errors.ts';

export interface Entry {
  /** The class that has this code. */
  class: string;
  /** One sentence. */
  happened: string;
  causes: readonly string[];
  /** What to do, the likeliest first. */
  actions: readonly string[];
  /** As `error.message` and `error.hint` have it. */
  example: { message: string; hint: string };
  /** Whether anything was written. */
  written: string;
  /** Whether the same call may be made again. */
  repeat: string;
}

export const errorCatalogue: Record<MytxErrorCode | DeployErrorCode | InitErrorCode | CliErrorCode, Entry> = {
  ...argumentErrors,
  ...rowErrors,
  ...transactionErrors,
  ...connectionErrors,
  ...busyErrors,
  ...limitErrors,
  ...accessErrors,
  ...encryptionErrors,
  ...personErrors,
  ...snapshotErrors,
  ...seedErrors,
  ...statementErrors,
  ...deployErrors,
  ...initErrors,
  ...cliErrors,
};
