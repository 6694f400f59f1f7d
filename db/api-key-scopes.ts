// What a key may do, as words that the application chooses, such as `chats:read`.

import { describe } from './arguments.ts';
import { InvalidArgumentError } from './errors.ts';
import { apiKeyScopeLimit, textLimits } from './limits.ts';

/** As OAuth has it: printable ASCII without a space, `"` and `\`. */
const scopePattern = new RegExp(`^[!#-[\\]-~]{1,${textLimits.apiKeyScope}}$`);

/** Scopes, each once, in the order given; none for undefined. */
export function requireScopes(value: unknown): string[] {
  if (value === undefined) return [];
  const refuse = (problem: string): never => {
    throw new InvalidArgumentError(
      'INVALID_ARGUMENT',
      'scopes',
      `${problem}; they must be an array of at most ${apiKeyScopeLimit} words such as chats:read`,
      `A scope has 1 to ${textLimits.apiKeyScope} printable ASCII characters, without space, quotation mark and backslash.`,
    );
  };
  if (!Array.isArray(value)) return refuse(`is ${describe(value)}`);
  if (value.length > apiKeyScopeLimit) return refuse(`has ${value.length} entries`);
  const wrong = value.findIndex((scope) => typeof scope !== 'string' || !scopePattern.test(scope));
  if (wrong !== -1) return refuse(`has in place ${wrong} ${describe(value[wrong])}, which is no scope`);
  return [...new Set(value as string[])];
}
