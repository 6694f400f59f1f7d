// How long a text may be, in characters (code points), and how large a JSON value, in bytes.
// The schema's CHECK constraints and the validation of arguments both read these numbers,
// so that a value that passes here never fails at the database. Those that an operator may change are in limit-settings.ts.

/** Longest texts, in code points, as PostgreSQL's `char_length` counts them. */
export const textLimits = {
  email: 64,
  displayName: 100,
  avatarUrl: 255,
  chatTitle: 200,
  chatPreview: 200,
  messageRole: 64,
  memoryContent: 10_000,
  /** The ciphertext of a memory: its bytes in base64, and what is around them. */
  encryptedMemory: 56_000,
  contentQuery: 1_000,
  searchQuery: 1_000,
  taskDescription: 10_000,
  apiKeyName: 100,
  apiKeyHash: 255,
  apiKeyPrefix: 32,
  apiKeyScope: 100,
  /** The id of a pepper or of an encryption key. */
  keyId: 32,
  protocolName: 200,
  protocolDescription: 10_000,
} as const;

/** Largest JSON texts that the schema takes, in bytes of UTF-8. What a caller may write is in limit-settings.ts. */
export const jsonLimits = { message: 16 * 1024 * 1024 } as const;

/** Most scopes that a key of the API has. */
export const apiKeyScopeLimit = 50;

/** Most encrypted memories of a user that a search decrypts. */
export const searchedMemoryLimit = 10_000;

/** Most bytes that bcrypt reads of a password. What is longer is refused, never cut. */
export const passwordByteLimit = 72;

/** Of search. */
export const searchLimits = {
  /** Most words of a query. */
  words: 16,
  /** How much of a message is looked at: so many characters (UTF-16 units) from its beginning. */
  textLength: 100_000,
} as const;
