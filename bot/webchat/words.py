"""What the web page itself says, in each language; what the bot says comes from ``flows/texts``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

_BANGLA_DIGITS = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The page's own words in one language; a language that lacks one cannot be written down."""

    #: The language's own name, for the switch.
    language: str
    #: The document's title: whoever looks over a shoulder or at the tabs learns nothing.
    title: str
    #: What this is, in one sentence.
    what: str
    question: str
    #: Three short honest sentences; ``{days}`` is the retention, ready to read.
    answers: tuple[str, str, str]
    days: Callable[[int], str]
    languages: str
    #: Before, a middle that small screens hide, after.
    leave: tuple[str, str, str]
    leave_hint: str
    leave_after_one: str
    leave_after_two: str
    bot: str
    operator: str
    visitor: str
    thread: str
    choices: str
    more: str
    write: str
    hint: str
    send: str
    not_sent: str
    refused: str
    too_long: str
    no_connection: str
    writing: str
    not_loading: str
    no_script: str
    call: str
    in_danger: str
    new_tab: str
    #: What a link to a document says when it has ended, and when it cannot be followed now.
    document_gone: str
    document_later: str
    #: The button on a school's page.
    open_chat: str
    close_chat: str


def _english_days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _slavic_days(one: str, few: str, many: str) -> Callable[[int], str]:
    def days(number: int) -> str:
        if number % 10 == 1 and number % 100 != 11:
            return f"{number} {one}"
        if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14):
            return f"{number} {few}"
        return f"{number} {many}"

    return days


def _bangla_days(number: int) -> str:
    return f"{str(number).translate(_BANGLA_DIGITS)} দিন"


WORDS: Mapping[str, Words] = {
    "en": Words(
        language="English",
        title="Chat",
        what="A program that helps when somebody is being hurt online: it is free, and you don’t have to say your name.",  # noqa: E501
        question="What happens to what I write?",
        answers=(
            "It is stored encrypted, so that nobody can simply read it.",
            "It is erased {days} after your last message, or at once if you write “delete my data”.",
            "A person at the helpline reads it only if you say yes.",
        ),
        days=_english_days,
        languages="Language",
        leave=("Leave", "this page", "quickly"),
        leave_hint="Opens Wikipedia. Or press Esc three times.",
        leave_after_one="Press Esc two more times to leave this page.",
        leave_after_two="Press Esc once more to leave this page.",
        bot="Porchlight (program)",
        operator="Helpline (a person)",
        visitor="Me",
        thread="Messages",
        choices="Possible answers",
        more="More below",
        write="My message",
        hint="In your own words…",
        send="Send",
        not_sent="Not sent yet. Trying again…",
        refused="This could not be sent. Please try to write it another way.",
        too_long="That is a lot for one message. Please send it in two or three parts.",
        no_connection="No connection right now. I keep trying.",
        writing="The helpline is writing…",
        not_loading="If the chat does not open, you can call:",
        no_script="The chat needs JavaScript, and this browser has it switched off.",
        call="You can call:",
        in_danger="If your life is in danger this minute:",
        new_tab="opens in a new tab",
        document_gone="There is no document behind this link any more. Ask for it again in the chat.",
        document_later="The document cannot be made at this moment. Try again in a minute.",
        open_chat="Open the help chat",
        close_chat="Close the chat",
    ),
    "ru": Words(
        language="Русский",
        title="Чат",
        what="Программа, которая помогает, если кого-то обижают в интернете: это бесплатно, и имя называть не нужно.",  # noqa: E501
        question="Что будет с тем, что я напишу?",
        answers=(
            "Сообщения хранятся зашифрованными, чтобы их никто не мог просто прочитать.",
            "Они стираются через {days} после последнего сообщения или сразу,"
            " если написать «удали мои данные».",
            "Человек с линии помощи прочитает их, только если ты согласишься.",
        ),
        days=_slavic_days("день", "дня", "дней"),
        languages="Язык",
        leave=("Быстро уйти", "со страницы", ""),
        leave_hint="Откроется Википедия. Или нажми Esc три раза.",
        leave_after_one="Нажми Esc ещё два раза, чтобы уйти со страницы.",
        leave_after_two="Нажми Esc ещё раз, чтобы уйти со страницы.",
        bot="Porchlight (программа)",
        operator="Линия помощи (человек)",
        visitor="Я",
        thread="Сообщения",
        choices="Варианты ответа",
        more="Ниже есть ещё",
        write="Моё сообщение",
        hint="Своими словами…",
        send="Отправить",
        not_sent="Ещё не отправлено. Пробую снова…",
        refused="Это не получилось отправить. Попробуй написать по-другому.",
        too_long="Для одного сообщения это многовато. Отправь, пожалуйста, двумя-тремя частями.",
        no_connection="Сейчас нет связи. Продолжаю пробовать.",
        writing="На линии помощи пишут ответ…",
        not_loading="Если чат не открывается, можно позвонить:",
        no_script="Чату нужен JavaScript, а в этом браузере он выключен.",
        call="Можно позвонить:",
        in_danger="Если прямо сейчас жизнь в опасности:",
        new_tab="откроется в новой вкладке",
        document_gone="По этой ссылке больше ничего нет. Документ можно попросить в чате ещё раз.",
        document_later="Документ сейчас не получается. Попробуй ещё раз через минуту.",
        open_chat="Открыть чат помощи",
        close_chat="Закрыть чат",
    ),
    "be": Words(
        language="Беларуская",
        title="Чат",
        what="Праграма, якая дапамагае, калі некага крыўдзяць у інтэрнэце: гэта бясплатна, і імя называць не трэба.",  # noqa: E501
        question="Што будзе з тым, што я напішу?",
        answers=(
            "Паведамленні захоўваюцца зашыфраванымі, каб ніхто не мог проста іх прачытаць.",
            "Яны сціраюцца праз {days} пасля апошняга паведамлення або адразу,"
            " калі напісаць «выдалі мае даныя».",
            "Чалавек з лініі дапамогі прачытае іх, толькі калі ты пагодзішся.",
        ),
        days=_slavic_days("дзень", "дні", "дзён"),
        languages="Мова",
        leave=("Хутка сысці", "са старонкі", ""),
        leave_hint="Адкрыецца Вікіпедыя. Або тройчы націсні Esc.",
        leave_after_one="Націсні Esc яшчэ два разы, каб сысці са старонкі.",
        leave_after_two="Націсні Esc яшчэ раз, каб сысці са старонкі.",
        bot="Porchlight (праграма)",
        operator="Лінія дапамогі (чалавек)",
        visitor="Я",
        thread="Паведамленні",
        choices="Варыянты адказу",
        more="Ніжэй ёсць яшчэ",
        write="Маё паведамленне",
        hint="Сваімі словамі…",
        send="Адправіць",
        not_sent="Яшчэ не адпраўлена. Спрабую зноў…",
        refused="Гэта не атрымалася адправіць. Паспрабуй напісаць інакш.",
        too_long="Для аднаго паведамлення гэта зашмат. Адпраў, калі ласка, дзвюма-трыма часткамі.",
        no_connection="Зараз няма сувязі. Працягваю спрабаваць.",
        writing="На лініі дапамогі пішуць адказ…",
        not_loading="Калі чат не адкрываецца, можна патэлефанаваць:",
        no_script="Чату патрэбны JavaScript, а ў гэтым браўзеры ён выключаны.",
        call="Можна патэлефанаваць:",
        in_danger="Калі проста зараз жыццё ў небяспецы:",
        new_tab="адкрыецца ў новай укладцы",
        document_gone="Па гэтай спасылцы больш нічога няма. Дакумент можна папрасіць у чаце яшчэ раз.",
        document_later="Дакумент зараз не атрымліваецца. Паспрабуй яшчэ раз праз хвіліну.",
        open_chat="Адкрыць чат дапамогі",
        close_chat="Закрыць чат",
    ),
    "bn": Words(
        language="বাংলা",
        title="চ্যাট",
        what="অনলাইনে কেউ কষ্ট দিলে এই প্রোগ্রাম সাহায্য করে: কোনো খরচ নেই, নাম বলারও দরকার নেই।",
        question="আমি যা লিখি, তার কী হয়?",
        answers=(
            "লেখাগুলো এনক্রিপ্ট করে রাখা হয়, যাতে কেউ চাইলেই পড়তে না পারে।",
            "শেষ মেসেজের {days} পরে সব মুছে যায়; “আমার সব মেসেজ মুছে দাও” লিখলে সঙ্গে সঙ্গেই মুছে যায়।",
            "হেল্পলাইনের কোনো মানুষ এগুলো পড়বে শুধু তুমি রাজি হলে।",
        ),
        days=_bangla_days,
        languages="ভাষা",
        leave=("দ্রুত", "এই পাতা থেকে", "বেরিয়ে যাও"),
        leave_hint="উইকিপিডিয়া খুলবে। অথবা তিনবার Esc চাপো।",
        leave_after_one="পাতা ছাড়তে আরও দুইবার Esc চাপো।",
        leave_after_two="পাতা ছাড়তে আরও একবার Esc চাপো।",
        bot="Porchlight (প্রোগ্রাম)",
        operator="হেল্পলাইন (একজন মানুষ)",
        visitor="আমি",
        thread="মেসেজ",
        choices="উত্তরের বোতাম",
        more="নিচে আরও আছে",
        write="আমার মেসেজ",
        hint="নিজের মতো করে লেখো…",
        send="পাঠাও",
        not_sent="এখনো যায়নি। আবার চেষ্টা করছি…",
        refused="এটা পাঠানো গেল না। অন্যভাবে লিখে দেখো।",
        too_long="একটা মেসেজের জন্য লেখাটা একটু বড়। দুই-তিন ভাগে পাঠাও।",
        no_connection="এখন সংযোগ নেই। চেষ্টা করে যাচ্ছি।",
        writing="হেল্পলাইন থেকে উত্তর লেখা হচ্ছে…",
        not_loading="চ্যাট না খুললে ফোন করতে পারো:",
        no_script="চ্যাট চালাতে JavaScript লাগে, কিন্তু এই ব্রাউজারে তা বন্ধ আছে।",
        call="ফোন করতে পারো:",
        in_danger="এই মুহূর্তে জীবনের ঝুঁকি থাকলে:",
        new_tab="নতুন ট্যাবে খুলবে",
        document_gone="এই লিংকে আর কিছু নেই। চ্যাটে কাগজটা আবার চাইতে পারো।",
        document_later="কাগজটা এখন তৈরি করা যাচ্ছে না। এক মিনিট পরে আবার চেষ্টা করো।",
        open_chat="সাহায্যের চ্যাট খোলো",
        close_chat="চ্যাট বন্ধ করো",
    ),
}
