// Pictures and documents that people attach, small enough to be written here, with what is said about them.
// The pictures are real PNG files of a few pixels: a viewer of the sample shows a coloured square, not an error.

export interface Attachment {
  mediaType: string;
  filename: string;
  /** The bytes, in base64. */
  base64: string;
  /** Where the same file would be if it had been uploaded. */
  hostedUrl: string;
  question: string;
  answer: string;
}

export const pictures: readonly Attachment[] = [
  {
    mediaType: 'image/png',
    filename: 'boarding pass.png',
    base64: 'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR42mOQizoBRAwQCgAgZgUBJVrRTwAAAABJRU5ErkJggg==',
    hostedUrl: 'https://files.example.com/u/7f3a/boarding%20pass.png',
    question: 'Which gate does it say here? I cannot read it',
    answer: 'It is hard to see, but it looks like B14. Check the board, gates move.',
  },
  {
    mediaType: 'image/png',
    filename: 'לחם.png',
    base64: 'iVBORw0KGgoAAAANSUhEUgAAAAQAAAADCAIAAAA7ljmRAAAAEElEQVR42mPYUmEDRww4OQBO5hDhtum3SAAAAABJRU5ErkJggg==',
    hostedUrl: 'https://files.example.com/u/7f3a/%D7%9C%D7%97%D7%9D.png',
    question: 'הלחם יצא ככה, מה עשיתי לא נכון? 🥖',
    answer: 'הצבע יפה, אבל הוא שטוח: כנראה התפיח יותר מדי. בפעם הבאה 20 דקות פחות.',
  },
  {
    mediaType: 'image/png',
    filename: 'sketch.png',
    base64: 'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAD0lEQVR42mP4hQMwDC0JAEMPu4FyxXnhAAAAAElFTkSuQmCC',
    hostedUrl: 'https://files.example.com/u/7f3a/sketch.png',
    question: 'Here is the sketch of the kitchen, does the table fit?',
    answer: 'Yes, with about 80 cm to pass on the window side. I would turn it by 90 degrees.',
  },
];

export const documents: readonly Attachment[] = [
  {
    mediaType: 'text/plain',
    filename: 'notes.txt',
    base64: 'TWVldGluZyBub3RlcwotIG1vdmUgdGhlIGRhdGUKLSBhc2sgTWF5YQo=',
    hostedUrl: 'https://files.example.com/u/19c0/notes.txt',
    question: 'What do my notes say is left to do?',
    answer: 'Two things: move the date, and ask Maya.',
  },
  {
    mediaType: 'text/csv',
    filename: 'expenses 2026.csv',
    base64: 'ZGF5LGFtb3VudCxub3RlCjEsNDIuNTAsInRheGksIG5pZ2h0IgoyLDE4LGNvZmZlZQo=',
    hostedUrl: 'https://files.example.com/u/19c0/expenses%202026.csv',
    question: 'Sum of the second column, please',
    answer: '60.50 in total: 42.50 for the taxi and 18 for coffee.',
  },
  {
    mediaType: 'application/pdf',
    filename: 'Mietvertrag "Entwurf".pdf',
    base64: 'JVBERi0xLjQKMSAwIG9iajw8Pj5lbmRvYmoKdHJhaWxlcjw8L1Jvb3QgMSAwIFI+Pgo=',
    hostedUrl: 'https://files.example.com/u/19c0/contract.pdf?signature=sample&expires=0',
    question: 'Is there anything unusual in this contract?',
    answer: 'One clause: repairs up to €300 are yours. That is more than usual; ask for half of it.',
  },
];

/** The file itself, inside its URL. */
export function dataUrl({ mediaType, base64 }: Attachment): string {
  return `data:${mediaType};base64,${base64}`;
}
