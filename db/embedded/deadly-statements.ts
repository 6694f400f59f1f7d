// Statements that end the embedded PostgreSQL (PGlite 0.5.8): the process would hang for ever in its next statement.
// They are answered with an error instead. Told by their text; a text that only speaks of them may be refused too.

/** What is refused, as PostgreSQL's feature_not_supported. */
export interface Refusal {
  message: string;
  hint: string;
}

const copyIn = /\bcopy\b[\s\S]*\bfrom\s+(?:\/\*[\s\S]*?\*\/\s*|--[^\n]*\n\s*)*stdin\b/i;
const timeouts = '(?:idle_in_transaction_session_timeout|idle_session_timeout|transaction_timeout)';
const off = `'?0\\s*(?:us|ms|s|min|h|d)?'?\\s*(?:[;)]|$)|default\\b`;
const setTimeouts = new RegExp(
  `\\bset\\s+(?:session\\s+|local\\s+)?"?${timeouts}"?\\s*(?:=|\\bto\\b)\\s*(?!${off})|set_config\\s*\\(\\s*'${timeouts}'\\s*,\\s*(?!'0')`,
  'i',
);

/** Why a text is not sent to the embedded database; undefined for one that may be. Linear in its length. */
export function refusalOf(text: string): Refusal | undefined {
  if (/\bstdin\b/i.test(text) && copyIn.test(text)) {
    return {
      message: 'the embedded database can’t do COPY ... FROM STDIN',
      hint: 'Insert the rows, many in one statement.',
    };
  }
  if (/transaction_timeout|session_timeout/i.test(text) && setTimeouts.test(text)) {
    return {
      message: 'the embedded database can’t end idle sessions and transactions by a timer',
      hint: 'Leave idle_in_transaction_session_timeout, idle_session_timeout and transaction_timeout at 0.',
    };
  }
  return undefined;
}
