// Every query of the data layer but those on protocols (protocol-queries.ts), under the names of the contract.
// The bodies live in one file for each entity.

export type { ApiKeyRecord, RateLimit } from './api-key-record.ts';
export {
  createApiKeyRecord,
  deleteApiKeyByIdAndUserId,
  getApiKeysByUserId,
  type IssuedApiKey,
  issueApiKey,
  listApiKeys,
  revokeApiKey,
  rotateApiKey,
  updateApiKeyLastUsed,
} from './api-keys.ts';
export { asUser } from './as-user.ts';
export { type AuditAction, type AuditItem, listAuditEvents } from './audit.ts';
export { branchFrom, selectBranch } from './branches.ts';
export { deleteAllChats, deleteChatById, getChatById, getChatsByUserId, listChats, renameChat } from './chats.ts';
export {
  checkHealth,
  closeDatabase,
  db,
  type Health,
  openDatabase,
  transaction,
  withDeadline,
  withPrimary,
} from './database.ts';
export { findValidApiKey, type LegacyApiKey, listLegacyApiKeys, type ValidApiKey } from './legacy-api-keys.ts';
export { configureLimits, type LimitSettings } from './limit-settings.ts';
export {
  deleteMemoryById,
  getMemoriesByUserId,
  listMemories,
  saveMemory,
  updateMemory,
} from './memories.ts';
export { appendMessages, listMessages, type MessageItem, type MessagePlace, updateMessage } from './messages.ts';
export { configurePasswords, type PasswordSettings } from './passwords.ts';
export { type EraseReport, eraseUser } from './person/erase.ts';
export { type ExportOptions, exportUser } from './person/export.ts';
export { exportUserToFile, type WrittenExport, writeExport } from './person/export-file.ts';
export { type ImportOptions, type ImportReport, importUser } from './person/import.ts';
export type { ImportSource } from './person/read-lines.ts';
export { createReservation, getReservationById, updateReservation } from './reservations.ts';
export { checkRowSecurity, type RowSecurityGap, type RowSecurityReport } from './row-security.ts';
export { saveChat } from './save-chat.ts';
export { dropSearchIndex, type IndexedCounts, indexForSearch } from './search-index.ts';
export { findMemoriesByContent, type MemoryMatch, searchMemories } from './search-memories.ts';
export { type MessageMatch, searchMessages } from './search-messages.ts';
export {
  addTask,
  deleteTaskById,
  getTasksByUserId,
  listTasks,
  updateTask,
  updateTaskDescription,
  updateTaskStatus,
} from './tasks.ts';
export { changePassword, createUser, getUser, type PublicUser, verifyPassword } from './users.ts';
export { type ApiKeyRefusal, type ApiKeyVerdict, verifyApiKey } from './verify-api-key.ts';
