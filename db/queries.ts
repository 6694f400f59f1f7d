// Every query of the data layer but those on protocols (protocol-queries.ts), under the names of the contract.
// The bodies live in one file for each entity.

export {
  createApiKeyRecord,
  deleteApiKeyByIdAndUserId,
  findValidApiKey,
  getApiKeysByUserId,
  updateApiKeyLastUsed,
  type ValidApiKey,
} from './api-keys.ts';
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
export {
  deleteMemoryById,
  findMemoriesByContent,
  getMemoriesByUserId,
  listMemories,
  saveMemory,
  updateMemory,
} from './memories.ts';
export { appendMessages, listMessages, type MessageItem, type MessagePlace, updateMessage } from './messages.ts';
export { createReservation, getReservationById, updateReservation } from './reservations.ts';
export { saveChat } from './save-chat.ts';
export {
  addTask,
  deleteTaskById,
  getTasksByUserId,
  listTasks,
  updateTask,
  updateTaskDescription,
  updateTaskStatus,
} from './tasks.ts';
export { createUser, getUser } from './users.ts';
