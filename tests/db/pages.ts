// Reads a list page by page, as an application does, while something else happens between the pages.

import type { Page } from '../../db/cursor.ts';

/** The items of all pages in the order they came. @param between called after each page */
export async function readPages<Item>(
  list: (cursor: string | null) => Promise<Page<Item>>,
  between: (page: Page<Item>) => Promise<unknown> = async () => {},
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<Item> = await list(cursor);
    items.push(...page.items);
    await between(page);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}
