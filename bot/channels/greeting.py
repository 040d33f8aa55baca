"""What messengers show about us before a visitor has written: the command menu and the first words."""

from __future__ import annotations

from collections.abc import Mapping

#: The slash commands and the payloads that they stand for (``start`` is a beginning of its own).
COMMAND_PAYLOADS: Mapping[str, str] = {
    "menu": "m",
    "help": "i:help",
    "person": "i:talk_to_human",
    "language": "i:change_language",
    "forget": "i:delete_my_data",
    "stop": "i:stop",
}

#: The command menu in each language; the order is what a frightened thumb meets first.
COMMANDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "person": "Talk to a person",
        "menu": "Everything I can help with",
        "help": "How this works",
        "language": "Change the language",
        "forget": "Delete what I wrote",
        "stop": "Stop for now",
    },
    "ru": {
        "person": "Поговорить с человеком",
        "menu": "Всё, с чем я могу помочь",
        "help": "Как это работает",
        "language": "Сменить язык",
        "forget": "Удалить всё, что здесь написано",
        "stop": "Пока остановиться",
    },
    "be": {
        "person": "Пагаварыць з чалавекам",
        "menu": "Усё, з чым я магу дапамагчы",
        "help": "Як гэта працуе",
        "language": "Змяніць мову",
        "forget": "Выдаліць усё, што тут напісана",
        "stop": "Пакуль спыніцца",
    },
    "bn": {
        "person": "একজন মানুষের সঙ্গে কথা বলো",
        "menu": "আমি যা যা নিয়ে সাহায্য করতে পারি",
        "help": "এটি কীভাবে কাজ করে",
        "language": "ভাষা বদলাও",
        "forget": "আমার লেখা মুছে দাও",
        "stop": "আপাতত থামো",
    },
}

#: The line in the bot's profile, at most 120 characters: https://core.telegram.org/bots/api#setmyshortdescription
SHORT_DESCRIPTION: Mapping[str, str] = {
    "en": "Is somebody hurting you online? Write day or night. A program answers and can find you a person.",
    "ru": "Тебя обижают в интернете? Пиши днём и ночью. Отвечает программа, она может соединить с человеком.",
    "be": "Цябе крыўдзяць у інтэрнэце? Пішы ўдзень і ўначы. Адказвае праграма, яна можа злучыць з чалавекам.",
    "bn": "অনলাইনে কেউ কষ্ট দিচ্ছে? দিন-রাত লেখো। একটি প্রোগ্রাম উত্তর দেয়, চাইলে মানুষের সঙ্গে যুক্ত করে।",
}

#: What an empty chat shows above its Start button; Telegram allows 512 characters.
DESCRIPTION: Mapping[str, str] = {
    "en": (
        "Hello. I am Porchlight. I am a program, not a person.\n\n"
        "If somebody is hurting you or a child you know online, I can tell you what to do next "
        "and connect you to a person at a helpline.\n\n"
        "Press Start, or just write what happened."
    ),
    "ru": (
        "Привет. Я Porchlight. Я программа, а не человек.\n\n"
        "Если тебя или ребёнка, которого ты знаешь, обижают в интернете, я подскажу, что делать дальше, "
        "и могу соединить с человеком на линии помощи.\n\n"
        "Нажми «Старт» или просто напиши, что случилось."
    ),
    "be": (
        "Прывітанне. Я Porchlight. Я праграма, а не чалавек.\n\n"
        "Калі цябе ці дзіця, якое ты ведаеш, крыўдзяць у інтэрнэце, я падкажу, што рабіць далей, "
        "і магу злучыць з чалавекам на лініі дапамогі.\n\n"
        "Націсні «Старт» або проста напішы, што здарылася."
    ),
    "bn": (
        "হ্যালো। আমি Porchlight। আমি একটি প্রোগ্রাম, মানুষ নই।\n\n"
        "অনলাইনে কেউ তোমাকে বা তোমার চেনা কোনো শিশুকে কষ্ট দিলে আমি বলতে পারি এখন কী করা যায়, "
        "আর হেল্পলাইনের একজন মানুষের সঙ্গে যুক্ত করে দিতে পারি।\n\n"
        "Start চাপো, অথবা কী হয়েছে সেটা লেখো।"
    ),
}

#: Viber's first message, which comes before we may send anything of our own.
WELCOME: Mapping[str, str] = {
    "en": (
        "Hello. I am Porchlight. I am a program, not a person. "
        "I help when somebody is hurt online, and I can connect you to a person at a helpline.\n\n"
        "Write what happened, in your own words. Or press the button."
    ),
    "ru": (
        "Привет. Я Porchlight. Я программа, а не человек. "
        "Я помогаю, когда кого-то обижают в интернете, и могу соединить с человеком на линии помощи.\n\n"
        "Напиши своими словами, что случилось. Или нажми кнопку."
    ),
    "be": (
        "Прывітанне. Я Porchlight. Я праграма, а не чалавек. "
        "Я дапамагаю, калі кагосьці крыўдзяць у інтэрнэце, і магу злучыць з чалавекам на лініі дапамогі.\n\n"
        "Напішы сваімі словамі, што здарылася. Або націсні кнопку."
    ),
    "bn": (
        "হ্যালো। আমি Porchlight। আমি একটি প্রোগ্রাম, মানুষ নই। "
        "অনলাইনে কেউ কষ্ট পেলে আমি সাহায্য করি, আর হেল্পলাইনের একজন মানুষের সঙ্গে যুক্ত করে দিতে পারি।\n\n"
        "কী হয়েছে, নিজের মতো করে লেখো। অথবা বোতামটি চাপো।"
    ),
}

#: The one button below the first message.
BEGIN: Mapping[str, str] = {"en": "Begin", "ru": "Начать", "be": "Пачаць", "bn": "শুরু করো"}
