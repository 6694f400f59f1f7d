// mytx-ai/testing: databases and rows for the tests of an application. Of no test framework.

export {
  createTestApiKey,
  createTestChat,
  createTestMemory,
  createTestMessages,
  createTestProtocol,
  createTestReservation,
  createTestTask,
  createTestUser,
  testPassword,
} from './factories.ts';
export { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from './test-database.ts';
