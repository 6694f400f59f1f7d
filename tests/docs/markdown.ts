// What tests read from a Markdown page: its fenced blocks, its links, and the anchors of its headings.

export interface Block {
  /** The first word behind the fence: `ts`, `bash`, `diff`. */
  language: string;
  /** `name=value` words behind it; a word alone has the value ''. */
  options: Record<string, string>;
  text: string;
  /** Where its text begins in the page, from 1. */
  line: number;
}

export interface Link {
  target: string;
  line: number;
}

/** The fenced blocks of a page, in their order. */
export function readBlocks(page: string): Block[] {
  const blocks: Block[] = [];
  let open: { fence: string; block: Block } | undefined;
  for (const [index, line] of page.split('\n').entries()) {
    if (open) {
      if (line.trim() === open.fence) {
        blocks.push(open.block);
        open = undefined;
      } else open.block.text += `${line}\n`;
      continue;
    }
    const [, fence, info] = /^(`{3,})(.*)$/.exec(line) ?? [];
    if (fence !== undefined) open = { fence, block: newBlock(info ?? '', index + 2) };
  }
  if (open) throw new Error(`a block that begins at line ${open.block.line - 1} has no end`);
  return blocks;
}

function newBlock(info: string, line: number): Block {
  const [language = '', ...words] = info.trim().split(/\s+/);
  const options = words.map((word) => {
    const [name = '', ...value] = word.split('=');
    return [name, value.join('=')] as const;
  });
  return { language, options: Object.fromEntries(options), text: '', line };
}

/** The page with the text of its blocks and inline code taken out, line by line. */
export function withoutCode(page: string): string {
  let isInside = false;
  const lines = page.split('\n').map((line) => {
    if (/^`{3,}/.test(line)) {
      isInside = !isInside;
      return '';
    }
    return isInside ? '' : line.replaceAll(/`[^`]*`/g, (code) => ' '.repeat(code.length));
  });
  return lines.join('\n');
}

/** Links outside of code. */
export function readLinks(page: string): Link[] {
  return withoutCode(page)
    .split('\n')
    .flatMap((line, index) =>
      [...line.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, target]) => ({ target: target ?? '', line: index + 1 })),
    );
}

/** The anchors that GitHub gives the headings of a page. */
export function readAnchors(page: string): string[] {
  const seen = new Map<string, number>();
  let isInside = false;
  return page.split('\n').flatMap((line) => {
    if (/^`{3,}/.test(line)) isInside = !isInside;
    const heading = isInside ? undefined : /^#{1,6} +(.*)$/.exec(line)?.[1];
    if (heading === undefined) return [];
    const slug = slugOf(heading);
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return [count === 0 ? slug : `${slug}-${count}`];
  });
}

function slugOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}
