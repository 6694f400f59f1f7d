// How deep the JSON of a text nests, by its characters alone: before it is parsed, and also where a field is twice, of which
// JSON.parse keeps the last. What is not JSON is found out elsewhere.

const code = (character: string): number => character.charCodeAt(0);
const [quote, backslash] = [code('"'), code('\\')];
const opening: ReadonlySet<number> = new Set([code('['), code('{')]);
const closing: ReadonlySet<number> = new Set([code(']'), code('}')]);

/** Whether arrays and objects of a text nest in more levels than that. Stops at the first that does. */
export function isDeeperThan(levels: number, json: string): boolean {
  let depth = 0;
  for (let i = 0; i < json.length; i += 1) {
    const character = json.charCodeAt(i);
    if (character === quote) {
      i = endOfText(json, i);
    } else if (opening.has(character)) {
      depth += 1;
      if (depth > levels) return true;
    } else if (closing.has(character)) {
      depth -= 1;
    }
  }
  return false;
}

/** Where the quotation mark is that ends a text; the last character where there is none. */
function endOfText(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let escapes = 0;
    while (json.charCodeAt(end - 1 - escapes) === backslash) escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return json.length;
}
