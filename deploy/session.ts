// What the deploy engine knows of a database: one session that it has to itself.
// Failures are the driver's own errors: `code` is the SQLSTATE, `position` counts characters of the statement.

export interface DeploySession {
  /** Runs one statement and gives its rows by column name, every value as text. */
  query(text: string, params?: readonly string[]): Promise<Record<string, string | null>[]>;
  /** Runs statements without parameters, separated by semicolons. */
  script(text: string): Promise<void>;
}

/** The facts of a PostgreSQL error that both drivers give. */
export interface PostgresFailure {
  message: string;
  code?: string;
  position?: string;
}

/** Whether PostgreSQL refused a statement; anything else is the connection's, or the end of the server (57P). */
export function isAnswer({ code }: PostgresFailure): boolean {
  return /^[0-9A-Z]{5}$/.test(code ?? '') && !/^(08|57P|EPIPE)/.test(code ?? '');
}

/**
 * PostgreSQL's text, where it can't quote a value of a row: a value that does not fit (class 22), is too long (54) or is
 * read as a query (42601, 42602) is quoted. With a position it is the file's own text that is quoted.
 */
export function textWithoutValues({ code = '', message, position }: PostgresFailure): string {
  const mayQuote = /^(22|54|4260[12])/.test(code) && position === undefined;
  return mayQuote ? 'a value of a row does not fit; the text of PostgreSQL quotes it and is left out' : message;
}

/**
 * Makes PostgreSQL's refusal to read or make a table of the engine's own (no right, another shape) the error that says so;
 * a broken connection stays what it is.
 */
export async function orUnreadable<T>(toError: (cause: PostgresFailure) => Error, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!/^(3F|42)/.test((cause as PostgresFailure).code ?? '')) throw cause;
    throw toError(cause as PostgresFailure);
  }
}
