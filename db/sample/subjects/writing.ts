// Conversations about writing: letters, stories, summaries, headlines. Text only.

import { lines, type Subject } from '../subject.ts';

export const writing: Subject = {
  name: 'writing',
  titles: [
    'Cover letter, [[city]]',
    'A bedtime story 🐉',
    'ברכה לחתונה של [[hebrewPerson]]',
    'Shorten the newsletter',
    'Poem about [[weekday]]',
    'Résumé en français',
  ],
  systemPrompt: 'You are an editor. Prefer short words, cut a third, and keep the writer’s own voice.',
  exchanges: [
    {
      ask: 'Shorten: "I am writing to you in order to enquire as to whether it might be possible to reschedule."',
      reply: '"Could we move our appointment?"',
    },
    {
      ask: 'Write a bedtime story for a [[few]]-year-old about a dragon who is afraid of the dark',
      reply: lines(
        'Once there was a dragon called [[person]] who slept with the light on. The light was her own: she held a tiny flame at the tip of her nose, all night long, and every morning she was very tired.',
        '',
        'One evening a moth landed there. "Excuse me," it said, "could you put this out? I keep flying into it."',
        '',
        '"But then it will be dark," whispered the dragon.',
        '',
        '"It will," said the moth. "That is when the stars come out."',
        '',
        'So she blew, *pff*, and looked up. And she counted [[number]] stars before she fell asleep. 🌟🐉',
      ),
    },
    {
      ask: 'כתוב ברכה קצרה לחתונה של [[hebrewPerson]] ובן הזוג',
      reply: '[[hebrewPerson]] היקרה, שיהיה לכם בית מלא צחוק, שקט כשצריך ורעש כשמתחשק. מזל טוב! 💍❤️ 👩🏽‍❤️‍👨🏻',
    },
    {
      ask: 'תציע כותרת למאמר על תחבורה ב[[hebrewCity]]',
      reply: lines(
        '1. "[[hebrewCity]] עומדת (בפקק)"',
        '2. "10 דקות ברכבת, [[number]] דקות בחניה"',
        '3. "מי צריך עוד כביש?"',
      ),
    },
    {
      ask: 'Cover letter opening for a job as a data engineer in [[city]], not boring please',
      reply:
        '"Last winter our nightly load took [[few]] hours and failed on [[weekday]]s. I found out why, wrote it down for the others, and it now takes eleven minutes. I would like to do that kind of work for you in [[city]]."',
    },
    {
      ask: 'Is "utilise" better than "use"?',
      reply: 'No.',
    },
    {
      ask: 'Haiku about [[weekday]], please',
      reply: lines('[[weekday]], cold coffee;', 'the inbox hums to itself,', 'I water the plant. 🪴'),
    },
    {
      ask: 'Réécris ce titre plus simplement : « Mise en œuvre de la politique de mobilité à [[city]] »',
      reply:
        '« À [[city]], on change la façon de circuler » : plus court de [[few]] mots, et on comprend tout de suite.',
    },
    {
      ask: 'Summarise our discussion for [[person]] in two sentences',
      reply:
        'We agreed to publish [[project]] on [[weekday]] with the short introduction and without the second table. [[person]] checks the quotes until [[hour]]; whatever is not confirmed by then is cut.',
    },
    {
      ask: 'Does this sound angry? "As I have said before, the file is attached."',
      reply:
        'Yes, a little: "as I have said before" points at the reader. "Here is the file again" says the same and nobody has to feel guilty. 🙂',
    },
  ],
  elaborations: [
    'Read it aloud. Where you run out of breath, there should be a full stop; where you hurry, there should be nothing at all.',
    'Openings: most drafts begin in the third sentence. Delete the first two and see whether anyone misses them.',
    'Adjectives are cheap, so they are worth little. "She waited" with a good detail (the coat still on, the tea cold) does more than "she waited anxiously".',
    'A word about tone: apologise once. The second apology makes the reader look for the fault, and the third makes them find it.',
    'If you want, send me the next page as well. I would keep the anecdote about the ferry; it is the only place where we hear you and not the organisation.',
    'Your quotation marks are mixed: “curly” in the first paragraph, "straight" in the second, «guillemets» in the title. Pick one kind, and leave the apostrophes to the editor: it’s, not it`s.',
  ],
};
