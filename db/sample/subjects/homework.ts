// Conversations about homework: mathematics, physics, history, biology. Text only.

import { lines, type Subject } from '../subject.ts';

export const homework: Subject = {
  name: 'homework',
  titles: [
    'Quadratic equations',
    'Photosynthesis for a [[few]]-year-old 🌱',
    'שיעורי בית בפיזיקה',
    'Essay: causes of World War I',
    'Statistics exam on [[weekday]] 😰',
    'واجب الرياضيات',
  ],
  systemPrompt:
    'You are a tutor. Lead the student to the answer with questions and show each step; do not just hand over results.',
  exchanges: [
    {
      ask: 'Solve x² − 5x + 6 = 0, but explain it like I missed the lesson',
      reply: lines(
        'We look for two numbers that **multiply** to 6 and **add up** to 5.',
        '',
        '2 × 3 = 6 and 2 + 3 = 5, so:',
        '',
        'x² − 5x + 6 = (x − 2)(x − 3) = 0',
        '',
        'A product is zero only if one of the factors is: **x = 2** or **x = 3**. Try both in the first equation. ✅',
      ),
    },
    {
      ask: 'Why is the sky blue?',
      reply:
        'Air scatters short (blue) wavelengths far more than long (red) ones, so blue light reaches you from everywhere.',
    },
    {
      ask: 'A train leaves at [[hour]] with [[number]] km/h. How far is it after [[few]] hours? Just check my method: speed times time',
      reply:
        'Your method is right: [[number]] km/h × [[few]] h, and the hours cancel, which is how you know the result is in kilometres. Write the units into the calculation and half of all mistakes in physics become impossible.',
    },
    {
      ask: 'לא הבנתי את חוק אוהם. אפשר דוגמה?',
      reply: lines(
        'בטח. חוק אוהם: V = I × R.',
        '',
        'נניח שיש סוללה של 9 וולט (V) ונגד של [[number]] אוהם (Ω). הזרם הוא I = 9 / [[number]] אמפר.',
        '',
        'אפשר לדמיין צינור מים: המתח הוא הלחץ, ההתנגדות היא כמה הצינור צר, והזרם הוא כמה מים עוברים. 💧',
      ),
    },
    {
      ask: 'תעזור לי לחשב ממוצע של 70, 85, [[number]] ו-92',
      reply: 'סכום: 70 + 85 + [[number]] + 92, ואת זה מחלקים ב־4. נסה לבד, ואני אבדוק. 👍🏽',
    },
    {
      ask: 'What is the difference between mitosis and meiosis?',
      reply: lines(
        '| | Mitosis | Meiosis |',
        '|---|---|---|',
        '| Divisions | 1 | 2 |',
        '| Cells at the end | 2, identical | 4, all different |',
        '| Chromosomes | same number | half |',
        '| For | growth, repair | eggs and sperm |',
        '',
        'To remember it: me**i**osis is for **i**nheritance.',
      ),
    },
    {
      ask: 'احسب مساحة دائرة نصف قطرها [[few]] سم',
      reply:
        'القانون: المساحة = π × نق². إذن نضرب π في [[few]] × [[few]]، والناتج بوحدة سم². هل تريد أن تجرب الخطوة الأخيرة بنفسك؟ 🙂',
    },
    {
      ask: 'Give me one argument that World War I was *not* inevitable',
      reply:
        'The July Crisis had several exits. Britain’s proposal for a conference of the four uninvolved powers was turned down within a day, not because it could not work but because each government believed that waiting would weaken it. A war that depends on five capitals all refusing to wait is a choice, not a law of nature.',
    },
    {
      ask: 'Can you just write the essay for me?',
      reply:
        'I would rather not; but give me your thesis in one sentence and I will help you find three paragraphs for it.',
    },
    {
      ask: '“鸡兔同笼”：头 [[number]] 个，腿 [[amount]] 条，怎么想？',
      reply:
        '先假设全部是鸡，腿数就是头数乘以 2；多出来的腿每 2 条对应一只兔子。列式：(腿数 − 2 × 头数) ÷ 2 = 兔子数。如果结果不是整数或是负数，说明题目抄错了。😄',
    },
  ],
  elaborations: [
    'Let us check it another way. Put the result back into the first line and see whether both sides agree. It takes ten seconds, and in an exam those are the best-paid seconds you have.',
    'A picture helps here: draw a line, mark zero, and walk along it. Most mistakes with signs come from doing in the head what the pencil would do for free.',
    'Where people go wrong: they move a term to the other side and forget to change its sign, or they divide by something that might be zero. Say aloud what you do in each step ("I subtract three from both sides") and you will hear the mistake.',
    'Try this one on your own before the next lesson: take the same exercise with 7 in place of 5. If it does not come out as a whole number, that is fine; leave the root as it is.',
    'Background, if you are curious: people solved this long before they had letters for unknowns. Clay tablets from Babylon describe the same steps in words, "take half of it, multiply it by itself", four thousand years ago.',
  ],
};
