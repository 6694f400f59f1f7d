// The text of a message that search looks at: what somebody said or was told. Not what a tool was asked and gave, nor
// reasoning, files and the names of fields.

import { searchLimits } from '../limits.ts';

/** `content` where it is a text, and the texts of parts, a line each; of what is longer, the beginning. */
export function textOfMessage({ content, parts }: Record<string, unknown>): string {
  const own = typeof content === 'string' ? [content] : textsOf(content);
  const ofParts = textsOf(parts);
  // The AI SDK's version 4 gives a text twice: as `content`, and as the part that it is.
  const isTwice = own.length === 1 && ofParts.join('') === own[0];
  const text = (isTwice ? own : [...own, ...ofParts]).join('\n');
  return text.length <= searchLimits.textLength ? text : text.slice(0, searchLimits.textLength).toWellFormed();
}

function textsOf(parts: unknown): string[] {
  if (!Array.isArray(parts)) return [];
  return parts
    .filter((part) => part?.type === 'text' && typeof part.text === 'string')
    .map(({ text }: { text: string }) => text);
}
