// The text of a source that is not ours: looked at, never changed.

/** Comments that begin a line, so that `/*` in a pattern of files begins none. */
export function withoutComments(text: string): string {
  return text.replaceAll(/^\s*(\/\*[\s\S]*?\*\/|\/\/.*$)/gm, '');
}
