// Conversations about cooking: recipes, amounts, rescue of dishes that went wrong. Text only.

import { lines, type Subject } from '../subject.ts';

export const cooking: Subject = {
  name: 'cooking',
  titles: [
    'Dinner for [[few]] 🍲',
    'What to do with [[dish]]',
    'מתכון לחלה לשבת 🥖',
    'Sourdough, week [[few]]',
    'Gluten-free birthday cake 🎂',
    '番茄炒蛋怎么做',
  ],
  systemPrompt:
    'You are a patient cook. Give amounts in grams, name allergens, and offer a substitute for anything rare.',
  exchanges: [
    {
      ask: 'I have [[few]] eggs, tomatoes and half an onion. Dinner?',
      reply: lines(
        'Shakshuka, and you are [[number]] minutes from eating it:',
        '',
        '- Soften the onion in olive oil with a pinch of salt.',
        '- Add the tomatoes, a teaspoon of paprika, half of cumin. Simmer until thick.',
        '- Make [[few]] hollows, crack in the eggs, lid on, 6 minutes.',
        '',
        'Bread on the side is not optional. 🍳',
      ),
    },
    {
      ask: 'My [[dish]] is far too salty. Can it be saved?',
      reply:
        'Usually. Double everything but the salt if you can; if not, add something starchy (potato, rice, beans) and something sour (a squeeze of lemon). The potato does not "absorb salt" by magic, it simply gives the salt more food to season.',
    },
    { ask: 'How many grams is a cup of flour?', reply: '120 g, spooned and levelled. Scooped it can reach 150 g.' },
    {
      ask: 'איך מכינים חלה רכה? יש לי 1 ק"ג קמח.',
      reply: lines(
        'ל־1 ק"ג קמח:',
        '',
        '- 25 גרם שמרים טריים (או 10 גרם יבשים)',
        '- 2 ביצים, ועוד אחת להברשה',
        '- 100 גרם סוכר, 15 גרם מלח',
        '- 120 מ"ל שמן ו־400 מ"ל מים פושרים',
        '',
        'לשים 10 דקות, מתפיחים שעה וחצי, קולעים, מתפיחים עוד [[number]] דקות ואופים ב־180°C כ־25 דקות. שבת שלום! 🕯️',
      ),
    },
    {
      ask: 'מה אפשר לשים במקום חמאה? [[hebrewPerson]] טבעונית',
      reply:
        'בעוגות: שמן קוקוס או 80% מהכמות בשמן רגיל. בבצק פריך: מחמאה (margarine) טבעונית קרה. על לחם: טחינה עם קצת מלח, וזה אפילו טעים יותר 😋',
    },
    {
      ask: '番茄炒蛋要先炒蛋还是先炒番茄？',
      reply:
        '先炒蛋。油热后倒入蛋液，八成熟就盛出来；再炒番茄，加一点糖和盐，出汁后把蛋倒回去，翻几下就好。全程大约 [[few]] 分钟。🍅🥚',
    },
    {
      ask: 'Scale this for [[number]] people: 200 g rice serves 3.',
      reply: lines(
        'About 67 g of dry rice a person, so for [[number]] people:',
        '',
        '```text',
        'people × 200 / 3  = grams of rice',
        'grams × 1.5       = millilitres of water',
        '```',
        '',
        'Over 2 kg I would cook it in the oven, in two trays. A pot that size burns below before it is done above.',
      ),
    },
    {
      ask: 'Is it safe to leave [[dish]] out overnight?',
      reply: 'No. Two hours at room temperature is the limit; then it belongs in the fridge, in a shallow dish.',
    },
    {
      ask: 'Can you make the recipe sound fancier for the menu? It is basically beans on toast',
      reply: '"Slow-cooked white beans, smoked tomato, charred sourdough". Same beans, $[[number]] more. 😄',
    },
    {
      ask: 'What wine goes with [[dish]]?',
      reply:
        'Something with acidity and not much oak: a dry Riesling or a light Sangiovese. If you do not drink, verjuice with soda and a strip of orange peel does the same job.',
    },
  ],
  elaborations: [
    'Why it works: heat moves slowly into food, and faster out of the pan than you expect. Take things off the fire a little before they look ready; they finish on their own while you lay the table.',
    'On salt: season in small steps and taste between them. Salt at the start goes into the food, salt at the end stays on it; you want both. If you measure, 1 % of the weight of the food is a good place to begin.',
    'Substitutes: crème fraîche can be yoghurt with a spoon of cream; buttermilk is milk with lemon juice after ten minutes; shallots are half onion, half patience. Saffron has no substitute, only things that are also yellow.',
    'If you cook ahead, stop one step before the end. Reheating is a second cooking, and vegetables in particular will not forgive you for it. Keep the herbs for the last minute in any case.',
    'Allergens in this one: wheat, egg, and possibly sesame if you use tahini. For a guest with coeliac disease, change the flour *and* the board, the spoon and the toaster.',
  ],
};
