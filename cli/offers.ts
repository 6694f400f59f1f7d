// What a shell may put where the cursor is: verbs, flags and the values that a flag or an argument takes, read from the
// program. Decides nothing but that: completion.ts prints it.

import type { Argument, Command, Option } from 'commander';

export interface Offers {
  /** Each with what it means. Only those that begin as the word at the cursor does. */
  words: readonly (readonly [word: string, meaning: string])[];
  /** Whether the names of files go there. */
  takesFiles: boolean;
}

const nothing: Offers = { words: [], takesFiles: false };

/**
 * What goes there.
 * @param words those behind `mytx`; the last one, which may be empty, is at the cursor
 * @example findOffers(program, ['st']) // { words: [['start', 'open the database, …']], takesFiles: false }
 */
export function findOffers(program: Command, words: readonly string[]): Offers {
  const start = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const { verb, values, awaiting } = readWords(program, before);
  // bash has the three words --flag, = and value where the others have one.
  if (awaiting) return valuesOf(awaiting, start === '=' ? '' : start);
  const [flag, value] = splitAt(start, '=');
  if (value !== undefined) return prefixed(`${flag}=`, valuesOf(flagNamed(verb, flag), value));
  if (start.startsWith('-')) return beginning(start, flagsOf(verb, before));
  if (verb === program) return beginning(start, verbsOf(program));
  return valuesOf(verb.registeredArguments[values], start);
}

/** The lines that a script reads: a word each, with its meaning behind a tab, then whether files go there too. */
export function renderOffers({ words, takesFiles }: Offers): string[] {
  return [
    ...words.map(([word, meaning]) => (meaning ? `${word}\t${meaning}` : word)),
    takesFiles ? ':files' : ':words',
  ];
}

interface Read {
  verb: Command;
  /** How many arguments of the verb are there. */
  values: number;
  /** The flag whose value comes next. */
  awaiting: Option | undefined;
}

function readWords(program: Command, words: readonly string[]): Read {
  const read: Read = { verb: program, values: 0, awaiting: undefined };
  for (const word of words) {
    if (read.awaiting) read.awaiting = word === '=' ? read.awaiting : undefined;
    else if (word.startsWith('-')) {
      const flag = flagNamed(read.verb, word);
      if (flag?.required) read.awaiting = flag;
    } else if (read.verb === program) read.verb = program.commands.find((one) => one.name() === word) ?? program;
    else read.values += 1;
  }
  return read;
}

function valuesOf(taker: Option | Argument | undefined, start: string): Offers {
  if (!taker) return nothing;
  if (taker.argChoices)
    return beginning(
      start,
      taker.argChoices.map((choice) => [choice, '']),
    );
  return { words: [], takesFiles: /<file>|\bfile\b/.test('flags' in taker ? taker.flags : taker.name()) };
}

function verbsOf(program: Command): Offers['words'] {
  const verbs = program.createHelp().visibleCommands(program);
  return verbs.map((verb) => [verb.name(), verb.description()]);
}

/** Without those that are there already. */
function flagsOf(verb: Command, before: readonly string[]): Offers['words'] {
  const flags = verb.createHelp().visibleOptions(verb);
  return flags
    .filter((flag) => !before.some((word) => isNamed(flag, splitAt(word, '=')[0])))
    .map((flag) => [flag.long ?? flag.flags, flag.description]);
}

function flagNamed(verb: Command, name: string): Option | undefined {
  return verb.options.find((flag) => isNamed(flag, name));
}

function isNamed({ long, short }: Option, name: string): boolean {
  return name === long || name === short;
}

function beginning(start: string, words: Offers['words']): Offers {
  return { words: words.filter(([word]) => word.startsWith(start)), takesFiles: false };
}

function prefixed(prefix: string, { words, takesFiles }: Offers): Offers {
  return { words: words.map(([word, meaning]) => [`${prefix}${word}`, meaning]), takesFiles };
}

function splitAt(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
