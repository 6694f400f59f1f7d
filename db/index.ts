// What an application imports from the package: queries, tables' row types, the database, errors.

export type { Page } from './cursor.ts';
export {
  createDatabase,
  type DatabaseOptions,
  type OpenReport,
} from './database.ts';
export {
  type BlindIndexOptions,
  blindIndex,
  blindIndexesOf,
  blindIndexOf,
  blindlyEquals,
} from './encryption/blind-index.ts';
export { type EncryptedColumnOptions, encryptedJson, encryptedText } from './encryption/columns.ts';
export {
  type ReencryptedColumn,
  type ReencryptOptions,
  type ReencryptProgress,
  type ReencryptReport,
  reencrypt,
} from './encryption/reencrypt.ts';
export { configureEncryption, type EncryptionSettings } from './encryption/settings.ts';
export * from './errors.ts';
export * from './protocol-queries.ts';
export type { Protocol, ProtocolPart, ProtocolVersion } from './protocols-schema.ts';
export * from './queries.ts';
export type { FlightReservation } from './reservation-details.ts';
export type {
  ApiKey,
  Chat,
  ChatSummary,
  Memory,
  Message,
  Reservation,
  Task,
  User,
} from './schema.ts';
export { type SecretTexts, useSecrets } from './secrets.ts';
export { type TaskStatus, taskStatuses } from './task-status.ts';
