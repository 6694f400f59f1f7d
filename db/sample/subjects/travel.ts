// Conversations about travel: flights, seats, weather, packing. Text only; tool calls are in ../tool-turns.ts.

import { lines, type Subject } from '../subject.ts';

export const travel: Subject = {
  name: 'travel',
  titles: [
    'A week in [[city]]',
    'Flights [[otherCity]] → [[city]] ✈️',
    'טיסה ל[[hebrewCity]] עם 2 ילדים',
    'Visa questions for [[city]]',
    'Family trip 👨‍👩‍👧‍👦 [[city]]',
    'Week-end à [[city]] 🇫🇷',
  ],
  systemPrompt:
    'You are a travel assistant. Keep answers short, give prices in US dollars, and never book without asking first.',
  exchanges: [
    {
      ask: 'We have [[few]] days in [[city]] in early spring. What should we not miss?',
      reply: lines(
        'With [[few]] days I would keep it to three anchors and leave the rest open:',
        '',
        '1. **The old town on foot**, early, before the tour groups (start around [[hour]]).',
        '2. **One long lunch** somewhere without an English menu.',
        '3. **A half-day out of [[city]]** by train: hills or coast, depending on the weather.',
        '',
        'Museums close on [[weekday]], so plan around that. Pack a layer for the evenings.',
      ),
    },
    {
      ask: 'Is a [[few]]0 minute connection in [[otherCity]] enough?',
      reply:
        'Only if both flights are on one ticket and you have cabin bags. On two separate tickets I would want at least two hours: if the first one is late, the second airline owes you nothing.',
    },
    {
      ask: 'מה כדאי לארוז ל[[hebrewCity]] בחורף?',
      reply:
        'ב[[hebrewCity]] בחורף יש כ־[[few]] עד 15 מעלות ביום, ובלילה קר יותר. קחו מעיל גשם קל, סוודר אחד חם, נעליים סגורות ומטען USB-C. מטרייה אפשר לקנות שם ב־[[number]] ש״ח. ☔',
    },
    {
      ask: 'יש לי טיסה של [[airline]] ביום [[hebrewWeekday]] ב־[[hour]], מתי לצאת מהבית ב[[hebrewCity]]?',
      reply:
        'לטיסה בין־לאומית של [[airline]] מומלץ להיות בטרמינל 3 כשלוש שעות לפני ההמראה. אם אתם נוסעים ברכבת מ[[hebrewCity]], בדקו את לוח הזמנים באתר (rail.co.il): ביום [[hebrewWeekday]] יש לפעמים עבודות מסילה. בסך הכול הייתי יוצא 4.5 שעות לפני.',
    },
    {
      ask: 'Can I bring a guitar on [[airline]]?',
      reply:
        'As cabin baggage only if the case fits the overhead bin; most full-size guitars do not. Two safe ways: buy a second seat for it (often $[[amount]] or less on short routes), or check it in a hard case with the strings loosened. Ask at the gate for a closet, politely: it works more often than you would think. 🎸',
    },
    {
      ask: 'How much cash do I need in [[city]]?',
      reply: 'Very little. $[[number]] covers markets and tips; cards work nearly everywhere else.',
    },
    {
      ask: 'Make me a one-line summary I can send to [[person]]: we land [[weekday]] [[hour]], hotel near the station.',
      reply: '"Landing [[weekday]] at [[hour]], staying next to the station in [[city]]. See you there! 🛬👋🏽"',
    },
    {
      ask: 'Quelle est la meilleure période pour visiter [[city]] sans la foule ?',
      reply:
        "La deuxième quinzaine d'octobre : il fait encore doux, les prix baissent d'environ [[number]] %, et les files d'attente disparaissent presque. Évitez seulement la semaine des vacances scolaires. 🇫🇷",
    },
    {
      ask: 'كيف أصل من المطار إلى وسط [[city]]؟',
      reply:
        'أسهل طريقة هي القطار: ينطلق كل [[number]] دقيقة وتستغرق الرحلة حوالي نصف ساعة. سيارة الأجرة أغلى (نحو [[amount]] دولارًا في ساعات الذروة). رحلة سعيدة! ✨',
    },
    {
      ask: 'The hotel says "no refunds" but they cancelled my room. Is that right?',
      reply:
        'No. "No refunds" binds you when *you* cancel. When the hotel cannot provide the room, it owes you the money back or an equal room elsewhere. Write to them once, quote the booking number, give a date ([[few]] days is fair), and then open a chargeback with your card.',
    },
  ],
  elaborations: [
    'Getting around is easier than the map suggests. A day ticket pays for itself after three rides, the machines take cards, and the last trams leave a little after midnight. If you arrive later than that, agree on the price of the taxi before you get in.',
    'For food, walk two streets away from anything with a statue in front of it. Look for a short menu, hand-written, and tables where people are speaking the local language. Lunch menus are usually half the price of the same dishes at night.',
    'If you travel with children 👨‍👩‍👧‍👦, book seats early and ask for the row behind the bulkhead. Airlines must seat small children next to an adult, but they are not obliged to do so gracefully, and rearranging people at boarding is nobody’s favourite moment.',
    'A note on insurance: check what your credit card already covers before you buy more. Medical cover abroad is the part worth paying for; cover for a delayed bag rarely is.',
    'One more practical thing: download the offline map and the translation pack for the language while you are still on the hotel Wi-Fi. Both work without a connection, and both are a few hundred megabytes you do not want to pay for while roaming.',
  ],
};
