// How long a text may be, in characters (code points), and how large a JSON value, in bytes.
// The schema's CHECK constraints and the validation of arguments both read these numbers,
// so that a value that passes here never fails at the database.

/** Longest texts, in code points, as PostgreSQL's `char_length` counts them. */
export const textLimits = {
  email: 64,
  displayName: 100,
  avatarUrl: 255,
  chatTitle: 200,
  chatPreview: 200,
  messageRole: 64,
  memoryContent: 10_000,
  contentQuery: 1_000,
  taskDescription: 10_000,
  apiKeyName: 100,
  apiKeyHash: 255,
  protocolName: 200,
  protocolDescription: 10_000,
} as const;

/** Largest JSON texts, in bytes of UTF-8. */
export const jsonLimits = {
  message: 16 * 1024 * 1024,
  reservationDetails: 64 * 1024,
  protocolParts: 1024 * 1024,
} as const;

/** How deep arrays and objects may nest in a JSON value (PostgreSQL's own limit depends on its stack). */
export const jsonDepthLimit = 200;

/** Most bytes that bcrypt reads of a password. What is longer is refused, never cut. */
export const passwordByteLimit = 72;
