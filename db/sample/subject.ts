// What a subject is: the material of the conversations about one thing. The subjects themselves are in subjects/.
// `[[name]]` in a text stands for something that changes from one telling to the next (fill-ins.ts knows the names).

/** One question and its answer. */
export interface Exchange {
  readonly ask: string;
  readonly reply: string;
}

export interface Subject {
  readonly name: string;
  readonly titles: readonly string[];
  readonly systemPrompt: string;
  readonly exchanges: readonly Exchange[];
  /** Paragraphs that make an answer a long one. */
  readonly elaborations: readonly string[];
}

/** Lines of text, for answers with code or lists in them. */
export function lines(...texts: string[]): string {
  return texts.join('\n');
}
