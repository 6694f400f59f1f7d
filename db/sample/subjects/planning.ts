// Conversations about planning: tasks, meetings, money, moving house. Text only.

import { lines, type Subject } from '../subject.ts';

export const planning: Subject = {
  name: 'planning',
  titles: [
    'Plan for [[project]]',
    'Moving flat in [[few]] weeks 📦',
    'לוח זמנים לשבוע',
    'Budget for [[weekday]]',
    '[[person]]’s birthday 🎉',
    'Standup notes',
  ],
  systemPrompt:
    'You help people plan. Ask for the deadline first, keep lists under seven items, and remember what you were told.',
  exchanges: [
    {
      ask: 'I have to finish [[project]] by [[weekday]] and I have not started',
      reply: lines(
        'Then today is for making it smaller. What is the least that would still count as done?',
        '',
        '- [ ] Write down what [[person]] will actually look at',
        '- [ ] Do that part first, badly',
        '- [ ] Show it before it is finished',
        '',
        'Block 09:00 to 11:00 tomorrow, phone in another room.',
      ),
    },
    {
      ask: 'Remind me: who owes whom for the dinner? I paid [[amount]], [[few]] people',
      reply:
        'Each of the [[few]] owes a share of [[amount]] ÷ [[few]]; everyone but you sends you that. Shall I write the message?',
    },
    {
      ask: 'תכין לי לוח זמנים ליום [[hebrewWeekday]]: חדר כושר, פגישה עם [[hebrewPerson]] ב־[[hour]], וקניות',
      reply: lines(
        'הנה הצעה ליום [[hebrewWeekday]]:',
        '',
        '- 06:30 חדר כושר 🏋🏽‍♀️',
        '- [[hour]] פגישה עם [[hebrewPerson]] (Zoom)',
        '- 18:00 קניות: חלב 3%, לחם, 6 ביצים',
        '',
        'להוסיף תזכורת 30 דקות לפני הפגישה?',
      ),
    },
    {
      ask: 'כמה ארגזים צריך לדירה של [[few]] חדרים?',
      reply: 'בערך 15 ארגזים לחדר, כלומר [[few]] × 15, ועוד 10 למטבח. ספרים רק בארגזים קטנים! 📦',
    },
    {
      ask: 'Turn this into tasks: call the bank, the boiler is making noises, mum’s birthday is on [[weekday]]',
      reply: lines(
        '1. Call the bank (they answer fastest at [[hour]])',
        '2. Book a plumber for the boiler ☎️',
        '3. Order flowers for [[weekday]], before noon',
      ),
    },
    {
      ask: 'What did I say my budget was?',
      reply: 'You told me $[[amount]] in total, of which $[[number]] is for transport.',
    },
    {
      ask: 'Should I use a spreadsheet or an app for this?',
      reply:
        'A sheet of paper for the first week. You will know after that which columns you really fill in, and the choice makes itself. Tools do not fix a plan that changes daily; they only make the changes look tidy.',
    },
    {
      ask: 'Draft a message to [[person]]: I need to move our meeting from [[weekday]] to some day next week',
      reply:
        '"Hi [[person]], something came up and I cannot make [[weekday]]. Would any morning next week suit you? I have everything ready, so half an hour is enough. Sorry for the shuffle, and thank you!"',
    },
    {
      ask: 'Estimate: how long does it take to paint a room of [[number]] m²?',
      reply: lines(
        'For two people, two coats:',
        '',
        '| Step | Hours |',
        '|---|---|',
        '| Clear and tape | 2 |',
        '| First coat | 3 |',
        '| Dry | 4 (go out) |',
        '| Second coat | 2 |',
        '',
        'So a day. It becomes two days when somebody says "while we are at it". 🎨',
      ),
    },
    {
      ask: 'ok done with the first [[few]] 💪🏿',
      reply: 'Well done! I have ticked them off. Next is the smallest one left; ten minutes at most.',
    },
  ],
  elaborations: [
    'About the order: do first what other people wait for, then what you dread, then what you like. The things that you like get done anyway.',
    'Leave a fifth of the time empty. Plans do not fail because a step takes twice as long; they fail because there was no place for that to happen in.',
    'If money is the limit, write down three numbers: what it must not cost, what you hope for, what you would pay to be rid of it. The third one is usually the honest budget.',
    'Decide now what will make you stop. "If the landlord has not answered by the tenth, we take the other flat" is a plan; "we will see" is a way of choosing by accident.',
    'And tell one person. A plan that only you know of is a wish with bullet points.',
  ],
};
