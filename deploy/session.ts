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
