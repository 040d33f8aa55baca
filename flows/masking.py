"""What of a text must never be kept? Replaces it by a mark that says only of what kind it was.

Who writes to us is a child, and whom they write about often is too: a telephone number, an address, a link,
a full name, an e-mail address, a user name, a card number or a password helps nobody here and is a danger in
the wrong hands. The mark is the same word in every language (``«phone»``), since operators of all languages,
codes and reports meet it, and stands between guillemets, which nobody types on a phone.

What helps to help is kept: first names, ages, classes, years, prices, times, short numbers and helplines.
Where a rule must err, long numbers and what follows "my password is" go, and names without a second sign
stay. The rules are regular expressions whose repetitions are bounded or possessive, so that they take time in
proportion to the text. Danger is looked for in the text as it was written, never in this one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import pairwise

from flows.names import is_fathers_name, is_first_name, is_surely_surname, is_surname, may_be_surname

PHONE = "«phone»"
CARD = "«card»"
LINK = "«link»"
EMAIL = "«e-mail»"
HANDLE = "«handle»"
NAME = "«name»"
ADDRESS = "«address»"
PASSWORD = "«password»"  # noqa: S105 - the mark, not a password.
MARKS = (PHONE, CARD, LINK, EMAIL, HANDLE, NAME, ADDRESS, PASSWORD)
#: What is left of a text that never settles, which no sentence does.
UNSETTLED = "«…»"

#: A mark changes what stands around it, so the rules are applied until nothing changes: mostly once.
MAX_ROUNDS = 8

#: Helplines' numbers of more than six digits, without the codes before them; all others of the directory are
#: toll-free or short. ``tests/flows/test_masking.py`` reads the directory and names the missing ones.
PUBLIC_NUMBERS = frozenset(
    """
    172630303 162511013 212616060 232315161 152398331 222711161
    1320000888 9612119911 4959895050 4950510000 495051 124802280 124806802280 506802280 516802280 80984590
    7081060810 3339085709
    """.split()  # noqa: SIM905 - a list of numbers is easier to read than quoted ones.
)
_TOLL_FREE = re.compile(
    r"(?:8|)80[01]\d{5,7}|8?801100\d{4}|0(?:800|808)\d{4,8}|1800\d{6,7}|11611[16]|11612[35]"
)
_CODES = re.compile(r"(?:00)?(?:375|880|80|7|8|0|36)")

# Bangla vowel signs are no letters to Python, so that ``\b`` would split Bangla words.
_LETTER = r"[\w\u0980-\u09fe]"
_START = rf"(?<!{_LETTER})"
_END = rf"(?!{_LETTER})"
_GAP = r"[^\S\n]{1,2}"
_MAYBE_GAP = r"[^\S\n]{0,2}"

# Numbers

#: What people put between the digits of one number, what cannot be seen included.
_BETWEEN = "\\-\u2010-\u2015.()/ \\t\u00a0\u2009\u202f\u200b-\u200f\u2060\ufeff"
_NUMBERS = re.compile(rf"(?:[+＋] ?)?\(?\d(?:[{_BETWEEN}]{{0,3}}\d)*+")
_DIGITS = re.compile(r"\d+")
_PIECE = re.compile(r"[^\s/]+")
_DATE = re.compile(r"\d{1,2}[.-]\d{1,2}[.-](?:\d{4}|\d{2})|\d{4}[.-]\d{1,2}[.-]\d{1,2}")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:\D\d{3})+")
_NATIONAL = re.compile(
    # Belarus: mobile and area codes; Bangladesh: mobile, Dhaka; Russia and Kazakhstan; written from abroad.
    r"(?:00)?375\d{9}|(?:80|0)(?:25|29|33|44|1[567]|2[123])\d{7}"
    r"|(?:00)?880?0?1[3-9]\d{8}|01[3-9]\d{8}|(?:00)?8802\d{7,8}|02\d{7,8}"
    r"|[78][3-69]\d{9}|00\d{9,13}"
)
_MOBILE = re.compile(r"(?:25|29|33|44)\d{7}")
_MOBILE_LAYOUTS = frozenset({(9,), (2, 7), (2, 3, 4), (2, 3, 2, 2)})
_LOCAL = re.compile(r"\(?\d{2,5}\)?-?\d{2,3}-\d{2}-\d{2}|\d{3}-\d{4}")
#: The longest number of a card, by ISO/IEC 7812-1; telephone numbers have at most 15 digits, by ITU-T E.164.
_MAX_DIGITS = 19
#: The most pieces that somebody writes a telephone number in: digit by digit, with the country's code.
_MAX_PIECES = 14
#: Fewer digits than that, with blanks between them, are no number.
_MIN_SPACED = 5
#: So many digits without a blank are hardly anything that helps to help, unless all of them are alike.
_MIN_BARE = 9
_MIN_DISTINCT = 3

_SPOKEN_NUMBER = re.compile(
    rf"(?i)({_START}(?:тел(?:ефон\w{{0,3}}|\.)?|тэл(?:ефон\w{{0,3}}|\.)?|номер\w{{0,3}}|нумар\w{{0,3}}"
    rf"|мобильн\w{{2,3}}|"
    rf"звони\w{{0,3}}|вайбер|ватсап|phone|number|mobile|whatsapp|viber|phn|nmbr|nombor|nomor|ফোন|নম্বর"
    rf"|নাম্বার|মোবাইল)"
    rf"{_MAYBE_GAP}(?:is|это|гэта|мой|мне|my|হলো|:|-|–|—|№|#)?{_MAYBE_GAP})"
    r"(\d{7,8}|\d{3}[ -]\d{2}[ -]\d{2}|\d{3}[ -]\d{4}|\d{2}[ -]\d{2}[ -]\d{2}[ -]\d{1,2})(?!\d)"
)


def _with_plain_digits(run: str) -> str:
    """The run with Western digits for those of any other script, each in its place."""
    if run.isascii():
        return run
    return "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in run)


def _is_public(digits: str) -> bool:
    code = _CODES.match(digits)
    return (
        digits in PUBLIC_NUMBERS
        or (code is not None and digits[code.end() :] in PUBLIC_NUMBERS)
        or _TOLL_FREE.fullmatch(digits) is not None
    )


def _is_card(digits: str, sizes: tuple[int, ...]) -> bool:
    if not 13 <= len(digits) <= _MAX_DIGITS or len(set(digits)) == 1:
        return False
    if len(digits) == 16 and set(sizes) == {4}:
        # Years in a row look the same.
        return not all(1900 <= int(digits[start : start + 4]) < 2100 for start in range(0, 16, 4))
    if len(sizes) not in (1, 4, 5):
        return False
    # The check digit of ISO/IEC 7812-1, annex B.
    doubled = (int(sign) * 2 for sign in digits[-2::-2])
    total = sum(map(int, digits[-1::-2])) + sum(sign - 9 if sign > 9 else sign for sign in doubled)
    return total % 10 == 0


def _number_kind(number: str) -> str | None:
    """The mark of one number as it was written, empty for one that survives, None for what is no number."""
    parts = _DIGITS.findall(number)
    digits, sizes = "".join(parts), tuple(map(len, parts))
    if _is_public(digits):
        return ""
    if number.startswith(("+", "＋")) and 8 <= len(digits) <= 15:
        return PHONE
    counted = len(sizes) > 4 and _THOUSANDS.fullmatch(number) is None and _counts(number)
    if _NATIONAL.fullmatch(digits) and not counted:
        return PHONE
    if _MOBILE.fullmatch(digits) and sizes in _MOBILE_LAYOUTS:
        return PHONE
    if _is_card(digits, sizes):
        return CARD
    if any(map(str.isspace, number)):
        return None
    if _DATE.fullmatch(number) or _THOUSANDS.fullmatch(number) or len(set(digits)) < _MIN_DISTINCT:
        return ""
    return PHONE if len(digits) >= _MIN_BARE or _LOCAL.fullmatch(number) else None


def _counts(number: str) -> bool:
    """Whether somebody only counts: 7 8 9 10."""
    parts = _DIGITS.findall(number)
    if max(map(len, parts)) > 4:
        return False
    said = list(map(int, parts))
    return all(after - before == 1 for before, after in pairwise(said))


def _mask_numbers(found: re.Match[str]) -> str:
    """A run of digits, in which numbers may stand beside ages and prices."""
    run = _with_plain_digits(found.group())
    pieces = [piece.span() for piece in _PIECE.finditer(run)]
    masked: list[str] = []
    done = place = 0
    while place < len(pieces):
        last, kind = _longest_number(run, pieces, place)
        start, end = pieces[place][0], pieces[last][1]
        if kind:
            # A bracket that closes after the number stays with the one that opens it.
            opened = run[start] == "(" and ")" not in run[start:end]
            masked += [found.group()[done:start], "(" if opened else "", kind]
            done = end
        place = last + 1
    return "".join(masked) + found.group()[done:]


def _mask_spoken_number(found: re.Match[str]) -> str:
    digits = "".join(_DIGITS.findall(_with_plain_digits(found[2])))
    return found.group() if _is_public(digits) else found[1] + PHONE


def _longest_number(run: str, pieces: list[tuple[int, int]], place: int) -> tuple[int, str]:
    """Where the longest number that starts at this piece ends, and its mark."""
    start, end = pieces[place]
    if _DATE.fullmatch(run, start, end):
        return place, ""
    best = (place, _number_kind(run[start:end]) or "")
    size = _digits_between(run, start, end)
    for last in range(place + 1, min(place + _MAX_PIECES, len(pieces))):
        size += _digits_between(run, *pieces[last])
        if size > _MAX_DIGITS:
            break
        kind = _number_kind(run[start : pieces[last][1]]) if size >= _MIN_SPACED else None
        if kind is not None:
            best = (last, kind)
    return best


def _digits_between(run: str, start: int, end: int) -> int:
    return sum(map(str.isdecimal, run[start:end]))


# Links, e-mail addresses, user names

_TLD = (
    "com|net|org|ru|by|bd|info|me|tv|gg|io|be|ly|co|app|link|site|xyz|online|page|us|uk|ua|pl|lt|lv|de|eu|in|pk|kz|cc|"
    "to|gl|ee|am|fm|live|chat|shop|biz|dev|su|рф|бел|ru\\.com"
)
_HOST = r"(?<![\w.@-])(?:[a-z0-9а-яё-]++\.)++"
_LINK = re.compile(
    r"(?i)(?:\bh(?:tt|xx)ps?|\bftp|\btg|\bviber|\bsgnl)://[^\s«»<>]*+"
    r"|\bwww\.[^\s«»<>]++"
    rf"|{_HOST}(?:(?<=[.])(?:{_TLD})(?![\w-]))?+/[^\s«»<>]++"
    rf"|(?<![\w.@-])(?:[a-z0-9а-яё-]++\.)+?(?:{_TLD})(?![\w-])/[^\s«»<>]*+"
)
_SITE = re.compile(
    r"(?i)(?<![\w.@-])((?:[a-z0-9-]{1,63}\.){1,4}(?:com|net|org|ru|info|xyz|site|by)"
    r"|[a-zа-яё0-9-]{1,63}\.(?:рф|бел))"
    r"(?![\w@/-]|\.\w)(?! [a-z])"
)
#: Where it happened is part of the story; these say nothing about anybody.
_PLATFORMS = frozenset(
    """
    vk.com vkontakte.ru ok.ru tiktok.com instagram.com facebook.com fb.com youtube.com telegram.org
    viber.com whatsapp.com discord.com snapchat.com twitter.com x.com roblox.com google.com gmail.com
    mail.ru yandex.ru yandex.by tut.by onliner.by kufar.by twitch.tv pinterest.com reddit.com minecraft.net
    steam.com steampowered.com stopncii.org likee.video imo.im
    """.split()  # noqa: SIM905 - a list of names is easier to read than quoted ones.
)
_TAIL = re.compile(r"[.,!?;:)\]…।]+$")
_MAIL_HOUSES = (
    r"(?:gmail|g-mail|mail|yandex|icloud|outlook|yahoo|hotmail|tut|bk|inbox|list|rambler|proton(?:mail)?|"
    r"гмейл|джимейл|мейл|мэйл|яндекс|জিমেইল|ইয়াহু)"
)
_EMAIL = re.compile(
    rf"(?i)(?<![\w.+%-])[\w.+%-]++ ?(?:\bat\b|\bet\b|собака|сабака|эт) ?{_MAIL_HOUSES} ?"
    rf"(?:dot|точка|кропка|ডট) ?(?:com|ru|by|ком|ру|бай|কম){_END}"
    r"|(?<![\w.+%-])[\w.+%-]++"
    r"(?:@ ?|[ ]?[\[({][ ]?(?:at|собака|сабака|эт)[ ]?[\])}][ ]?|[ ](?:собака|сабака)[ ])"
    rf"(?:[\w-]++(?:\.[\w-]++)++|{_MAIL_HOUSES}{_END})"
)

_NICK = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{1,60})"
#: A user name, other than a word, holds a digit, a dash below or a dot.
_CLEAR_NICK = r"@?(?=[A-Za-z_.-]*[0-9_.][A-Za-z0-9_-])[A-Za-z0-9_][A-Za-z0-9_.-]{2,60}"
_NETWORK = (
    r"insta(?:gram)?|inst|telegram|tg|snap(?:chat)?|discord|tik ?tok|facebook|fb|vk|steam|roblox|"
    r"инст\w{0,6}|телег\w{0,6}|тг|вк|тик ?ток\w{0,2}|дис(?:корд)?\w{0,2}|ইনস্টা(?:গ্রাম)?|টেলিগ্রাম|ফেসবুক"
    r"|টিকটক"
)
_ACCOUNT = (
    r"nick(?:name)?|user ?name|user ?id|handle|log ?in|account|acc|profile|page|id|"
    r"ник(?:нейм)?\w{0,2}|нік\w{0,2}|юзер(?:нейм)?\w{0,2}|логин\w{0,2}|лагін\w{0,2}|акк?(?:аунт)?\w{0,2}"
    r"|профил\w{1,2}|профіл\w{1,2}|"
    r"আইডি|ইউজারনেম|একাউন্ট|অ্যাকাউন্ট|প্রোফাইল|akaunt"
)
_IS = r"(?:is|was|called|it'?s|это|гэта|называется|holo|hocche|হলো|হচ্ছে|হল)"
_HANDLE = re.compile(
    r"(?<![\w@.])@(?![Ss]{2}|[Ss][Ss$])[\w.]{2,60}\w"
    r"|(?<![\w])\w{2,32}#\d{4}\b"
    r"|(?<![\w@.])(?=[A-Za-z0-9.]{0,60}_)(?=[A-Za-z_.]{0,60}\d)[A-Za-z][A-Za-z0-9.]{2,30}_[A-Za-z0-9_.]{1,30}(?![\w])"
)
_SPOKEN_HANDLE = re.compile(
    rf"(?i)({_START}(?:{_NETWORK}|{_ACCOUNT}){_END}{_MAYBE_GAP}(?:{_IS}{_END}"
    rf"|[:=—–-]){{0,2}}{_MAYBE_GAP})({_CLEAR_NICK})"
    rf"|({_START}(?:user ?name|nick(?:name)?|ник(?:нейм)?|логин"
    rf"|login){_MAYBE_GAP}[:=]{_MAYBE_GAP})({_NICK})(?![\w])"
)


def _mask_link(found: re.Match[str]) -> str:
    link = found.group()
    tail = _TAIL.search(link)
    return LINK + (tail.group() if tail else "")


def _mask_site(found: re.Match[str]) -> str:
    return found.group() if found[1].casefold() in _PLATFORMS else LINK


def _mask_spoken_handle(found: re.Match[str]) -> str:
    said = found[1] if found[1] is not None else found[3]
    nick = found[2] if found[2] is not None else found[4]
    # A number alone is an age, a year or a number, which have rules of their own; a time or a size likewise.
    if re.fullmatch(r"[\d.:-]+", nick) or re.fullmatch(r"\d{1,4}[a-zA-Z]{0,3}", nick):
        return found.group()
    return f"{said}{HANDLE}{'.' if nick.endswith('.') else ''}"


# Passwords

_ANNOUNCED = (
    r"pass ?(?:word|code|wrd)|pasword|pwd|pin(?:[ -]?code)?|парол[ьяю]|пароле|пін(?:-?код)?|пин(?:-?код)?"
    r"|parol|"
    r"পাসও(?:\u09df|য\u09bc)ার্ড|পাসকোড|পিন"
)
#: Words that follow ``password is`` where none is told: how it went, whose it is, what for.
_NO_PASSWORD = frozenset(
    """
    not no the a an same my his her our your their this that in on at for to too so very now known stolen
    changed hacked weak strong easy hard safe wrong lost gone leaked saved still always being private secret
    they he she we i you it how what why and but or because already somewhere out different simple bad good
    old new correct incorrect forgotten
    не нет мой моя моё мои мною мне меня от у на в во и а но или они он она кто что как плохо важно очень
    слишком простой сложный украли взломали узнали узнал узнала знает знают поменяли сменили забыл забыла
    такой тот уже был была это ня мае мая яны ён яна хто што як вельмі скралі ўзламалі ведае ведаюць гэта
    আমি আমার তারা সে ও এবং কি কেউ সবাই জানে চুরি হ্যাক কেন না নেই keu sobai jane churi hack hacked na ke ki
    amar
    instagram insta vk tiktok telegram viber facebook google gmail discord steam roblox wifi wi-fi whatsapp
    messenger minecraft snapchat apple icloud youtube account online
    """.split()  # noqa: SIM905 - a list of words is easier to read than quoted ones.
)
_PASSWORD_LINK = r"(?:is|was|were|=|:|это|гэта|был|быў|такой|holo|hoilo|hocche|হলো|হল|হচ্ছে|ছিল)"  # noqa: S105
_PASSWORD = re.compile(
    rf"(?i)({_START}(?:{_ANNOUNCED}){_END}"
    rf"(?:{_GAP}(?:for|to|of|from|от|ад|до|у|на|для){_GAP}(?:my |the |моей |моего )?[^\s«»:=]{{1,20}}){{0,1}}"
    rf"{_MAYBE_GAP}{_PASSWORD_LINK}(?:{_MAYBE_GAP}[:=])?{_MAYBE_GAP}[\"'“]?)([^\s«»\"“”]{{2,}}+)"
    # Without such a word only what no sentence holds.
    rf"|({_START}(?:{_ANNOUNCED}){_END}[ ,-]{{1,3}})((?=[^\s«»]{{0,40}}\d)[^\s«»]{{4,}}+"
    r"|(?<=[\u0400-\u04ff\u0980-\u09fe][ ])[!-~]{5,}+)"
    rf"|({_START}(?:code|код){_GAP}(?:(?:из|с|from|in|the|sms|смс|по|was|is|это"
    rf"|:){_GAP}?){{1,3}})(\d{{4,8}})(?!\d)"
)
_THIS = re.compile(r"(?i)(?:это|гэта)\s*$")
_MINE = re.compile(r"(?i)(?:мой|мои|наш|мае)\s$")
_PLAIN_CYRILLIC = re.compile(r"[\u0400-\u04ff]+[.,!?]*(?!\S)")


def _before(found: re.Match[str]) -> tuple[int, int]:
    return max(found.start() - 5, 0), found.start()


def _mask_password(found: re.Match[str]) -> str:
    at = next(group for group in (1, 3, 5) if found[group] is not None)
    said, secret = found[at], found[at + 1]
    if secret.casefold().rstrip(".,!?;:)।") in _NO_PASSWORD:
        return found.group()
    # "A password, this is what?" is a question; "my password, this is" is followed by it.
    if (
        _THIS.search(said)
        and _PLAIN_CYRILLIC.match(secret)
        and not _MINE.search(found.string, *_before(found))
    ):
        return found.group()
    return said + PASSWORD


# Addresses

_NUMERAL = (
    r"(?:(?:№|no\.?|num(?:ber)?|নং|নম্বর|#|[:.-])[^\S\n]{0,2}){0,2}"
    r"(?:\d{1,4}(?:[/-]\d{1,4})?[a-zа-я]?|[a-zকখগঘ])(?![\w])"
)
_HOUSE = r"\d{1,4}(?:[^\S\n]?[а-гa-d](?![\w]))?(?:[/-]\d{1,4})?"
_FLAT = (
    r"(?:(?:,[^\S\n]{0,2}|[^\S\n]{1,2})"
    r"(?:корп(?:ус|\.)?|к\.|кв(?:\.|артира|артире|арт\.)?|кватэра|кватэры|под(?:ъезд|\.)|пад'езд|этаж"
    r"|паверх|дом|д\.|kv\.?|kvartira|dom|d\.|flat|apt\.?)"
    r"[^\S\n]{0,2}\d{1,4}[а-гa-d]?(?![\w])){0,4}"
)
_STREET_SHORT = (
    r"(?:(?:ул|вул|пр-т|просп|пер|б-р|мкр|бул|пл|ul|vul|pr-t)\.[^\S\n]{0,2}"
    r"|(?:ул|вул|пр-т|б-р|мкр|ul|vul|pr-t|ulitsa|ulica|vulica)[^\S\n]{1,2})"
)
_STREET_LONG = (
    r"улиц[аеыу]|вуліц[аеыу]|праспек(?:т|це)|проспек(?:т|те)|переул(?:ок|ке)|завул(?:ак|ку)|бульвар[е]?"
    r"|шоссе|шаша|"
    r"микрорайоне?|мікрараёне?|площад[ьи]"
)
_STREET_NAME = r"[а-яёіўa-z'’.-]{2,25}(?:[^\S\n][а-яёіўa-z'’.-]{2,25}){0,2}?"
_HOUSE_WORD = r"(?:д\.?|дом|доме|буд\.?|dom|d\.?)[^\S\n]{0,2}"
#: After a street's name a number is the house's, unless the sentence counts something with it.
_NOT_COUNTED = (
    r"(?=[^\S\n]{0,2}(?:[^\w\s]|\n|$)|[^\S\n]{1,2}(?:и|в|во|кв|кварт\w{0,4}|корп\w{0,3}|под\w{0,4}|рядом"
    r"|возле|около|у|на|за|там|это|я|мы|он|она|"
    r"они|но|і|ля|побач|каля|мне|i|v|kv|приходи\w{0,4}|живу|живет|живёт)(?![\w]))"
)
_ADDRESS_CYRILLIC = re.compile(
    rf"(?i){_START}(?:(?:г\.|город|горад)[^\S\n]{{0,2}}[а-яёіў-]{{3,20}},?[^\S\n]{{1,2}})?"
    rf"(?:{_STREET_SHORT}{_STREET_NAME},?[^\S\n]{{1,2}}(?:{_HOUSE_WORD})?{_HOUSE}{_FLAT}(?![\w])"
    rf"|(?:{_STREET_LONG})[^\S\n]{{1,2}}{_STREET_NAME},?[^\S\n]{{1,2}}{_HOUSE_WORD}{_HOUSE}{_FLAT}(?![\w])"
    rf"|(?:{_STREET_LONG})[^\S\n]{{1,2}}(?-i:[А-ЯЁІЎA-Z]){_STREET_NAME},?[^\S\n]{{1,2}}{_HOUSE}{_FLAT}(?![\w]){_NOT_COUNTED}"
    r"|(?:дом|доме|д\.|буд\.)[^\S\n]{0,2}\d{1,4}[а-г]?(?:[/-]\d{1,3})?(?:,?[^\S\n]{0,2}(?:корп(?:ус|\.)?"
    r"|к\.)[^\S\n]{0,2}\d{1,3})?"
    r",?[^\S\n]{0,2}(?:кв\.?|квартира|квартире|кватэра)[^\S\n]{0,2}\d{1,4}(?![\w])"
    r"|(?:кв\.|квартира|кватэра)[^\S\n]{0,2}(?:№[^\S\n]{0,2})?\d{1,4}(?![\w]))"
)
#: ``живу Ленина 5-12``: without the word street, but after the word live.
_LIVES = re.compile(
    rf"(?i)({_START}(?:жив(?:у|ем|ём|ет|ёт|ут)|жыв(?:у|ём|е|уць)|прожива\w{{1,3}}|адрес|адрас|zhivu"
    rf"|jivu)(?:{_GAP}(?:на|по|у|в|na|v|po))?"
    rf"{_MAYBE_GAP}[:—–-]?{_MAYBE_GAP})"
    rf"((?-i:[А-ЯЁІЎA-Z]){_STREET_NAME},?{_GAP}(?:{_HOUSE_WORD})?{_HOUSE}{_FLAT}(?![\w]){_NOT_COUNTED}"
    rf"|{_STREET_NAME},?{_GAP}{_HOUSE_WORD}{_HOUSE}{_FLAT}(?![\w])"
    rf"|{_STREET_NAME}{_GAP}\d{{1,3}}-\d{{1,3}}(?![\w]))"
)
_EN_STREET = (
    r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|boulevard|blvd|court|close|crescent|terrace|sarani)"
)
_ADDRESS_ENGLISH = re.compile(
    rf"(?:(?i:flat|apartment|apt\.?|unit"
    rf"|house)[^\S\n]{{0,2}}(?i:no\.?[^\S\n]?)?\d{{1,4}}[A-Za-z]?,?[^\S\n]{{1,2}})?"
    rf"(?<![\w.])\d{{1,5}}[A-Za-z]?,?[^\S\n]{{1,2}}"
    rf"(?:(?:[A-Z][a-z'’-]{{1,20}}[^\S\n]{{1,2}}){{1,3}}(?i:{_EN_STREET})(?![\w])"
    r"|(?!(?:in|on|the|at|my|his|her|from|down|of|this|that|boys|girls|men|kids|guys|people|times?|other"
    r"|more|and|or|to|minutes?|days?|"
    rf"pm|am|years?|old|different|main|block)(?![\w]))[a-z'’-]{{3,20}}[^\S\n](?:street|road|avenue"
    rf"|lane)(?![\w]))\.?"
)
_PART = (
    r"(?:house|flat|apartment|apt|road|rd|block|sector|section|lane|holding|ward|floor|basa|bari|badi|plot"
    r"|level|"
    r"বাসা|বা(?:\u09dc|ড\u09bc)ি|রোড|স(?:\u09dc|ড\u09bc)ক|ব্লক|সেক্টর|ফ্ল্যাট|ফ্লাট|গলি|লেন|হোল্ডিং|ওয়ার্ড"
    r"|প্লট|মহল্লা)"
)
_ADDRESS_PARTS = re.compile(
    rf"(?i){_START}{_PART}(?!{_LETTER}){_MAYBE_GAP}{_NUMERAL}"
    rf"(?:[^\S\n]{{0,2}}[,/-]?[^\S\n]{{0,2}}{_PART}(?!{_LETTER}){_MAYBE_GAP}{_NUMERAL}){{1,5}}"
    # The quarter and the town behind them.
    r"(?:,[^\S\n]{0,2}(?-i:[A-Z][a-z]{2,20}"
    r"|[\u0985-\u09b9][\u0980-\u09fe]{2,20})(?:[ -]?[\d\u09e6-\u09ef]{1,4}(?!\w))?(?=[\s,.।!?]|$)){0,3}"
)
_VILLAGE_PART = (
    r"(?:গ্রাম|ডাকঘর|পোস্ট|থানা|উপজেলা|জেলা|"
    r"gram|dakghor|thana|upazila|zila|jela|village|post office|p\.?o\.?|district)"
)
_VILLAGE = re.compile(
    rf"(?i){_START}{_VILLAGE_PART}{_MAYBE_GAP}[:：-]{_MAYBE_GAP}[^\s,।«»]{{2,25}}"
    rf"(?:{_MAYBE_GAP},?{_MAYBE_GAP}{_VILLAGE_PART}{_MAYBE_GAP}[:：-]{_MAYBE_GAP}[^\s,।«»]{{2,25}}){{1,4}}"
)
_SPOKEN_ADDRESS = re.compile(
    rf"(?i)({_START}(?:(?:my|our|his|her|their|home) (?:home |house )?address{_MAYBE_GAP}(?:is|:)"
    rf"|address{_MAYBE_GAP}:"
    rf"|i live at{_GAP}(?=\d|number|no\b|flat|house)"
    rf"|адр[еа]с{_MAYBE_GAP}(?:[:—–-]|это|гэта)|(?:мой|наш|домашний|дамашні|его"
    rf"|её){_GAP}адр[еа]с(?={_GAP}(?-i:[А-ЯЁІЎ])|{_GAP}[гу]\.)"
    rf"|(?:amar |amader )?(?:thikana|address){_MAYBE_GAP}(?:holo|hocche|:|-)|(?:আমার|আমাদের"
    rf"|তার){_GAP}ঠিকানা{_MAYBE_GAP}(?:হলো|হল|হচ্ছে|[:-])?"
    rf"|ঠিকানা{_MAYBE_GAP}[:-]){_MAYBE_GAP}[:—–-]?{_MAYBE_GAP})"
    # Up to the end of the sentence, if there is a number in it; a dot after a short word ends none.
    r"((?=[^«»!?।\n\d]{0,60}\d)(?:[^«»!?।\n.]|(?<=\b\w)\.|(?<=\b\w\w)\.|\.(?=\d)){3,120}+)"
)


def _mask_told(mark: str) -> Callable[[re.Match[str]], str]:
    """Keeps the words that announce something and replaces the thing itself."""

    def masked(found: re.Match[str]) -> str:
        told = found[2]
        return f"{found[1]}{mark}{told[len(told.rstrip()) :]}"

    return masked


def _mask_whole(mark: str) -> Callable[[re.Match[str]], str]:
    return lambda _: mark


# Names

_WORD = r"[^\W\d_][\w\u0980-\u09fe'’-]{0,40}"
_NAME_WORD = rf"(?:মোঃ|মো\.|মোছাঃ|Md\.|Mst\.|md\.|{_WORD})"
_INTRODUCED = re.compile(
    rf"(?i)({_START}(?:(?:my|his|her|their|whose|full) (?:full |real |whole )?name(?:'s| is| was|:)"
    rf"|my name:?|(?:i am|i'm|im) called|"
    r"(?:меня|мене|мяне|его|её|ее|яго|яе|их|іх|которого|которую)[^\S\n](?:зовут|звать|завуць|клічуць"
    r"|кличут)|(?:зовут|завуць|клічуць)[^\S\n](?:меня|мяне|его|её|ее|яго|яе)|"
    r"(?:мо[её]|полное|мой|маё|поўнае|его|её)[^\S\n](?:имя|імя|фио)|фио|"
    r"(?:ego|ee|eyo|men[yi]a|min[yi]a)[^\S\n](?:zovut|zavut)|m[yi]ane[^\S\n]zavuts|"
    r"(?:আমার|তার|ওর|ছেলেটার|মেয়েটার)[^\S\n](?:পুরো[^\S\n])?নাম|(?:amar|tar"
    r"|or)[^\S\n](?:puro[^\S\n])?(?:nam|naam|name))"
    rf"(?!{_LETTER})[^\S\n]{{0,2}}[:,—–-]?[^\S\n]{{0,2}}(?:(?:is|это|гэта|holo|hocche|হলো|হচ্ছে|হল)[^\S\n])?)"
    rf"({_NAME_WORD}(?:[^\S\n]{{1,2}}{_NAME_WORD}){{1,3}})"
)
_SURNAME = re.compile(
    rf"((?i:{_START}(?:фамилия|прозвішча|surname|last name|family name)){_END}(?:[^\S\n](?:is|это|гэта"
    rf"|у меня|мая|моя))?[^\S\n]{{0,2}}[:—–-]?[^\S\n]{{0,2}})"
    r"([А-ЯЁІЎA-Z][\w'’-]{2,30})"
)
_CAPITALISED = r"(?:[A-Z][a-z'’]{1,30}|[А-ЯЁІЎ][а-яёіў'’]{1,30})(?:-[A-ZА-ЯЁІЎ][a-zа-яёіў]{1,30})?(?![\w])"
_CAPITALISED_RUN = re.compile(rf"(?<![\w«'’-]){_CAPITALISED}(?:[^\S\n]{_CAPITALISED})++")
_BANGLA_PAIR = re.compile(
    r"(?<![\w\u0980-\u09fe])[\u0985-\u09df][\u0980-\u09fe.]{1,20}(?:[^\S\n][\u0985-\u09df][\u0980-\u09fe]{1,20})++"
)
_WORDS = re.compile(r"\S+")
#: Whoever begins that many words in a row with a capital does so with all of them.
_TITLE_CASE = 5


def _mask_introduced(found: re.Match[str]) -> str:
    """First and last name after ``my name is``; the first name alone stays."""
    words = [word.span() for word in _WORDS.finditer(found[2])]
    said = [found[2][start:end] for start, end in words]
    length = _introduced(said)
    return found.group() if length < 2 else found[1] + NAME + found[2][words[length - 1][1] :]


def _introduced(said: list[str]) -> int:
    """How many of these words are a full name; below two, none."""
    capitals = 0
    while capitals < len(said) and _is_capitalised(said[capitals]) and _may_be_name(said[capitals]):
        capitals += 1
    if capitals >= 2:
        return capitals
    return max(_full_name(said, 0), 0)


def _may_be_name(word: str) -> bool:
    """Whether a word may be part of a name."""
    return is_first_name(word) or may_be_surname(word)


def _is_capitalised(word: str) -> bool:
    return word[0].isupper() and not (len(word) > 1 and word.isupper())


def _full_name(said: list[str], place: int) -> int:
    """How many words from this place on are a full name by ``flows.names``; 0 where none is."""
    if not is_first_name(said[place]):
        if place + 1 < len(said) and is_surely_surname(said[place]) and is_first_name(said[place + 1]):
            return 3 if place + 2 < len(said) and is_fathers_name(said[place + 2]) else 2
        return 0
    last = place + 1
    # Md. Rakib Hasan; Анна Сергеевна Петрова.
    while (
        last < len(said) and last <= place + 2 and (is_fathers_name(said[last]) or is_first_name(said[last]))
    ):
        if is_surname(said[last]) and not is_fathers_name(said[last]):
            break
        last += 1
    return last - place + 1 if last < len(said) and is_surname(said[last]) else 0


def _mask_names(found: re.Match[str]) -> str:
    """Full names in a run of capitalised words."""
    return _mask_full_names(found.group(), capitals=True)


def _mask_bangla_names(found: re.Match[str]) -> str:
    """Full names in Bangla, which has no capitals: a first and a last name of the lists side by side."""
    return _mask_full_names(found.group(), capitals=False)


def _mask_full_names(run: str, *, capitals: bool) -> str:
    spans = [word.span() for word in _WORDS.finditer(run)]
    said = [run[start:end] for start, end in spans]
    masked: list[str] = []
    done = place = 0
    while place < len(said):
        length = _full_name(said, place)
        if not length and capitals and len(said) < _TITLE_CASE:
            length = _name_and_capital(said, place)
        if length:
            masked += [run[done : spans[place][0]], NAME]
            done = spans[place + length - 1][1]
        place += max(length, 1)
    return "".join(masked) + run[done:]


def _name_and_capital(said: list[str], place: int) -> int:
    """2 where a first name and a capitalised word that is no everyday word stand here; else 0."""
    if place + 1 >= len(said) or not is_first_name(said[place]):
        return 0
    following = said[place + 1]
    return 2 if may_be_surname(following) and not is_fathers_name(following) else 0


#: In this order: what holds an at sign before what holds a dot, what is announced before what is recognised.
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_EMAIL, _mask_whole(EMAIL)),
    (_LINK, _mask_link),
    (_SITE, _mask_site),
    (_PASSWORD, _mask_password),
    (_NUMBERS, _mask_numbers),
    (_SPOKEN_NUMBER, _mask_spoken_number),
    (_HANDLE, _mask_whole(HANDLE)),
    (_SPOKEN_HANDLE, _mask_spoken_handle),
    (_SPOKEN_ADDRESS, _mask_told(ADDRESS)),
    (_ADDRESS_CYRILLIC, _mask_whole(ADDRESS)),
    (_LIVES, _mask_told(ADDRESS)),
    (_ADDRESS_ENGLISH, _mask_whole(ADDRESS)),
    (_ADDRESS_PARTS, _mask_whole(ADDRESS)),
    (_VILLAGE, _mask_whole(ADDRESS)),
    (_INTRODUCED, _mask_introduced),
    (_SURNAME, _mask_told(NAME)),
    (_CAPITALISED_RUN, _mask_names),
    (_BANGLA_PAIR, _mask_bangla_names),
)


def mask(text: str) -> str:
    """The text with marks for all that must not be kept; never raises, and a second time changes nothing."""
    for masked in _rounds(text):
        if masked == text:
            return text
        text = masked
    return UNSETTLED


def _rounds(text: str) -> Iterator[str]:
    for _ in range(MAX_ROUNDS):
        for pattern, masked in _RULES:
            text = pattern.sub(masked, text)
        yield text
