// Answers that rest on pages the assistant looked up, each with its sources. The pages are invented (example.org).

export interface Source {
  url: string;
  title: string;
  /** What the page says, in its words. */
  quote: string;
}

export interface WebAnswer {
  question: string;
  query: string;
  /** The sentence that the first source supports; `rest` follows it. */
  claim: string;
  rest: string;
  sources: readonly [Source, ...Source[]];
}

export const webAnswers: readonly WebAnswer[] = [
  {
    question: 'How long can I stay in Portugal without a visa?',
    query: 'Schengen short stay 90 days Portugal',
    claim: 'Up to 90 days within any 180.',
    rest: ' Days in other Schengen countries count as well, so keep your stamps.',
    sources: [
      {
        url: 'https://travel.example.org/schengen?lang=en#stay',
        title: 'Short stays',
        quote: '90 days in any 180-day period',
      },
      {
        url: 'https://travel.example.org/portugal',
        title: 'Portugal 🇵🇹',
        quote: 'Portugal is a member of the Schengen area',
      },
    ],
  },
  {
    question: 'באיזו שעה נכנסת השבת בחיפה?',
    query: 'כניסת שבת חיפה',
    claim: 'בחיפה מדליקים נרות כ־30 דקות לפני השקיעה.',
    rest: ' השעה המדויקת משתנה בכל שבוע, כדאי לבדוק בלוח המקומי.',
    sources: [
      {
        url: 'https://calendar.example.org/%D7%97%D7%99%D7%A4%D7%94',
        title: 'לוח זמנים: חיפה',
        quote: 'הדלקת נרות בחיפה: 30 דקות לפני השקיעה',
      },
    ],
  },
  {
    question: 'Does PostgreSQL 18 have uuidv7()?',
    query: 'PostgreSQL 18 uuidv7 function',
    claim: 'Yes, `uuidv7()` is built in from version 18.',
    rest: '\n\n```sql\nselect uuidv7();\n```\n\nOn 16 and 17 generate it in the application.',
    sources: [
      {
        url: 'https://docs.example.org/postgres/18/functions-uuid',
        title: 'UUID functions',
        quote: 'uuidv7 () generates a version 7 UUID',
      },
      { url: 'https://blog.example.org/uuid-v7', title: 'Why “v7”?', quote: 'The first 48 bits are a timestamp' },
    ],
  },
  {
    question: 'Is it safe to eat raw cookie dough?',
    query: 'raw flour salmonella cookie dough',
    claim: 'No: not only the eggs, the raw flour is the risk too. 🍪',
    rest: ' Heat the flour to 74 °C first, or buy dough that is made for it.',
    sources: [
      {
        url: 'https://food.example.org/raw-flour',
        title: 'Raw flour',
        quote: 'Flour is a raw food, and the risk is in the flour too',
      },
    ],
  },
  {
    question: 'Quand a lieu la fête des Lumières à Lyon ?',
    query: 'fête des Lumières Lyon dates',
    claim: 'Autour du 8 décembre, pendant quatre soirs.',
    rest: ' Réservez tôt : les hôtels sont complets dès septembre.',
    sources: [
      {
        url: 'https://lyon.example.org/lumieres',
        title: 'Fête des Lumières',
        quote: 'quatre soirs autour du 8 décembre',
      },
    ],
  },
];
