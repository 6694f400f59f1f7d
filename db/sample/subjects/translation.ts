// Conversations about languages: translation, idioms, tone. The place where scripts and directions mix most. Text only.

import { lines, type Subject } from '../subject.ts';

export const translation: Subject = {
  name: 'translation',
  titles: [
    'English → עברית',
    'How do you say "[[dish]]" in French?',
    'תרגום מייל לעבודה',
    'Traduction : lettre au propriétaire',
    '翻译：会议通知',
    'ترجمة رسالة قصيرة',
  ],
  systemPrompt:
    'You translate between English, Hebrew, Arabic, French and Chinese. Keep names and numbers, and note what has no equivalent.',
  exchanges: [
    {
      ask: 'Translate to Hebrew: "The meeting with [[person]] moved to [[hour]], room [[number]]."',
      reply: 'הפגישה עם [[person]] עברה ל־[[hour]], חדר [[number]].',
    },
    {
      ask: 'איך אומרים באנגלית "על הפנים"?',
      reply:
        'Literally "on the face"; what it means is *awful*: "The traffic was terrible" = "הפקקים היו על הפנים". 😅',
    },
    {
      ask: 'Please put this into polite French: I want my deposit of [[amount]] euros back.',
      reply:
        '« Je vous serais reconnaissant de bien vouloir me restituer le dépôt de garantie de [[amount]] €, conformément à notre contrat. » Plus court, et un peu plus ferme : « Merci de me rembourser le dépôt de [[amount]] € sous [[few]] jours. »',
    },
    {
      ask: 'תרגם לאנגלית: שלום [[hebrewPerson]], החבילה הגיעה ל[[hebrewCity]] אבל חסרים בה [[few]] פריטים (הזמנה #A-[[amount]]).',
      reply: lines(
        '"Hello [[hebrewPerson]], the parcel has reached [[hebrewCity]], but [[few]] items are missing from it (order #A-[[amount]])."',
        '',
        'In a mail I would write the names in Latin letters; tell me how they spell them.',
      ),
    },
    {
      ask: 'What does 加油 mean? My colleague writes it before every deadline',
      reply: '加油 (jiāyóu) is "add oil": *come on, you can do it!* Answer with 谢谢，你也是！💪🏻',
    },
    {
      ask: 'ما معنى "break a leg"؟',
      reply: 'معناها «حظًا سعيدًا»، تُقال للممثلين قبل الصعود إلى المسرح. لا تُترجم حرفيًا! 🎭',
    },
    {
      ask: 'Is it "different from" or "different than"?',
      reply: '"Different from" is never wrong. "Different than" is common in American English before a clause.',
    },
    {
      ask: 'Mix test: write one sentence with Hebrew, English and numbers, for my right-to-left layout',
      reply: lines(
        'הנה משפט לבדיקה: הזמנתי 3 ספרים מ־Amazon ב־$42.50 (20% הנחה!), והם יגיעו ב־12/11/2026 לרחוב הרצל 7א׳.',
        '',
        'And one that starts with Latin letters, so that the paragraph direction is tested too: iPhone 15 הגיע אתמול.',
        '',
        'With an explicit mark: \u200f(א) ראשון, \u200f(ב) שני.',
      ),
    },
    {
      ask: '请把这句话翻成英文：会议改到[[hour]]，请带上护照复印件。',
      reply: '"The meeting has been moved to [[hour]]. Please bring a copy of your passport."',
    },
    {
      ask: 'Which flags are these: 🇮🇱 🇫🇷 🇧🇷 🇯🇵 🏴󠁧󠁢󠁳󠁣󠁴󠁿?',
      reply:
        'Israel, France, Brazil, Japan and Scotland. The last one is a single flag made of seven code points. 🏳️‍🌈 is made of four.',
    },
  ],
  elaborations: [
    'On register: Hebrew has no polite form of "you", so politeness sits elsewhere, in "אשמח אם" (I would be glad if) and "תודה מראש" (thanks in advance). Translated word for word, it sounds more formal in English than it is.',
    'French puts a narrow space before « ? », « ! » and « ; ». Leave it out in an e-mail and nobody minds; leave it out on a poster and somebody will write to you about it.',
    'Names stay as the person writes them. Transliterate only when a form demands Latin letters, and then use the spelling of the passport, not the one that looks right.',
    'Numbers keep their direction inside right-to-left text: in «עמוד 215 מתוך 340» the reader meets 215 first. When a range looks reversed (10-20), it is the display, not the text, that is wrong.',
    'Emoji translate badly. 🙏 is "please" in one place, "thank you" in another and a high five in a third; 👍🏽 is friendly here and rude there. In a business mail, leave them out.',
  ],
};
