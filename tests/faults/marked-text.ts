// The texts that the workload writes: each names the write it belongs to, and which part of it, so that a write that is
// there in part, or twice, shows in the rows alone.

/** `one of two`: `<mark>·1/2`, and ` v3` behind it for the third version of a row that is updated. */
export interface MarkedText {
  mark: string;
  part: number;
  of: number;
  version: number | undefined;
}

export function markedTexts(mark: string, of: number): string[] {
  return Array.from({ length: of }, (_, i) => `${mark}·${i + 1}/${of}`);
}

export function withVersion(text: string, version: number): string {
  return `${text} v${version}`;
}

/** @returns undefined for a text that the workload did not write */
export function parseMarkedText(text: string): MarkedText | undefined {
  const match = /^(.*)·(\d+)\/(\d+)(?: v(\d+))?$/.exec(text);
  if (!match) return undefined;
  const [, mark = '', part, of, version] = match;
  return { mark, part: Number(part), of: Number(of), version: version === undefined ? undefined : Number(version) };
}
