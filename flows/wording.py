"""Is everything said, in every language, and does it fit? Checks of texts, titles and placeholders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from flows import case_code, classroom, directory, plural, tally
from flows.assessment import ASSESSMENT, REASONS
from flows.events import MediaKind
from flows.graph import first_sayings
from flows.markup import is_plain, mistakes, runs_of
from flows.model import (
    CLASS_SURVEY,
    DANGER,
    HANDOVER,
    MAX_CHOICES,
    REPORT_STATUS,
    AskNode,
    Book,
    CaseNode,
    CollectNode,
    Flow,
    Node,
    Problem,
    SetNode,
    text_keys,
)
from flows.outcome import MAX_SLOT
from flows.page import did_you_mean
from flows.speech import NONE_REVIEWED, SOME_REVIEWED, counted
from flows.texts import (
    BARS,
    CHOICES,
    COMMON,
    DIRECTORY,
    ENGINE,
    INTENTS,
    LABEL_PLACEHOLDERS,
    PLACEHOLDERS,
    SHARED,
    SLOT,
    TIPS,
    Sheet,
    Text,
    form_of,
    placeholders,
    plain_key,
)
from flows.tips import AUDIENCES

#: A longer title is cut on a phone of 360 px.
MAX_TITLE = 40
#: Telegram refuses longer messages (Viber takes 7,000): https://core.telegram.org/bots/api#sendmessage
MAX_MESSAGE = 4096

#: What the engine itself says, in the common scope.
ENGINE_TEXTS = (
    "back_to",
    "not_understood",
    "not_understood_again",
    "heard",
    "lost",
    "old_button",
    "media",
    "outage",
    "emergency",
    "delayed",
    "document_failed",
    "document_not_here",
    NONE_REVIEWED,
    SOME_REVIEWED,
)
#: Some kinds of media may have words of their own.
ENGINE_MAY_SAY = tuple(f"media_{kind.value}" for kind in MediaKind)
ENGINE_TITLES = ("person", "menu", "skip")
#: Lists of words that are understood without any model.
ENGINE_WORDS = (
    "yes_words",
    "no_words",
    "person_words",
    "menu_words",
    "stop_words",
    "tip_words",
    "class_words",
    "unshare_words",
)
#: What the handover flow's sheet must hold although no node says it: the operator's side speaks.
HANDOVER_TEXTS = ("taken", "returned", "closed")
#: What it may hold besides: its own words for ``delayed``.
HANDOVER_MAY_SAY = ("delayed",)
#: What the engine says while the shell looks for a class.
CLASS_LOOKING = "looking"
#: What is said after the last tip.
TIPS_OVER = "over"
#: A tip that is longer is an article.
MAX_TIP = 320
#: Labels that ``flows.directory`` builds its rows from.
LABELS = (
    "child_line", "help_line", "around_the_clock", "free", "languages", "checked", "chat", "sms",
    "emergency_police", "emergency_ambulance", "emergency_fire", "emergency_unknown", "international",
    "your_country", "the_app", "steps_unknown", "words_differ", "place_next", "place_unknown",
    "wait_long", "wait_unknown",
    "desk_closed", "desk_empty", "at_today", "at_tomorrow", "at_weekday", "at_date",
    "whole_hour", "hour_and_minutes",
    "call", "write_instead",
    "class_fewer", "class_at_least", "class_too_few",
)  # fmt: skip
#: Labels that are said with a number, in each form that the language has.
COUNTED_LABELS = ("place_known", "wait_known")
LANGUAGE_LABEL = "language_"


def check_wording(book: Book, *, countries: Sequence[str]) -> Iterator[Problem]:
    """Every problem of what is said; ``countries`` are those that the country question offers."""
    for locale in book.locales:
        yield from _engine(book, locale)
        for flow in book.flows.values():
            yield from _flow(book, flow, locale, countries=countries)
        yield from _directory(book, locale, countries=countries)
        yield from _tips(book, locale)
    yield from _sheets(book, countries=countries)
    yield from _same_everywhere(book)
    yield from _danger(book)


def _file(locale: str, name: str) -> str:
    return f"texts/{locale}/{name}.yaml"


def _lacks(locale: str, name: str, what: str) -> Problem:
    return Problem(file=_file(locale, name), line=0, sentence=f"{what} is missing in this language.")


def _own_text(book: Book, key: str, *, flow: str, locale: str) -> Text | None:
    """The text of a key in this locale, without the fallback that hides a gap from visitors."""
    for name in (flow, COMMON, ENGINE):
        sheet = book.texts.sheets[locale].get(name)
        if sheet and key in sheet.texts:
            return sheet.texts[key]
    return None


def _own_title(book: Book, slug: str, *, flow: str, locale: str, text: Text | None) -> str | None:
    if text and slug in text.choices:
        return text.choices[slug]
    for name in (flow, COMMON, ENGINE, DIRECTORY):
        sheet = book.texts.sheets[locale].get(name)
        if sheet and slug in sheet.choices:
            return sheet.choices[slug]
    return None


def _engine(book: Book, locale: str) -> Iterator[Problem]:
    for key in ENGINE_TEXTS:
        if _own_text(book, key, flow=COMMON, locale=locale) is None:
            yield _lacks(locale, ENGINE, f"the text '{key}'")
    for slug in ENGINE_TITLES:
        if _own_title(book, slug, flow=COMMON, locale=locale, text=None) is None:
            yield _lacks(locale, COMMON, f"the title of the button '{slug}'")
    for key in HANDOVER_TEXTS:
        if HANDOVER in book.flows and _own_text(book, key, flow=HANDOVER, locale=locale) is None:
            yield _lacks(locale, HANDOVER, f"the text '{key}'")
    names = book.texts.sheets[locale].get(INTENTS)
    for intent in book.intents:
        if names is None or intent not in names.texts:
            yield _lacks(locale, INTENTS, f"the name of the intent '{intent}'")
    for key in case_code.TEXTS if REPORT_STATUS in book.flows else ():
        if _own_text(book, key, flow=REPORT_STATUS, locale=locale) is None:
            yield _lacks(locale, REPORT_STATUS, f"the text '{key}'")
    if (
        CLASS_SURVEY in book.flows
        and _own_text(book, CLASS_LOOKING, flow=CLASS_SURVEY, locale=locale) is None
    ):
        yield _lacks(locale, CLASS_SURVEY, f"the text '{CLASS_LOOKING}'")
    for key in REASONS if ASSESSMENT in book.flows else ():
        if _own_text(book, key, flow=ASSESSMENT, locale=locale) is None:
            yield _lacks(locale, ASSESSMENT, f"the text '{key}'")
    for label in LABELS:
        if book.texts.label(label, locale=locale) is None:
            yield _lacks(locale, DIRECTORY, f"the label '{label}'")
    for label in COUNTED_LABELS:
        for form in plural.forms(locale):
            if book.texts.label(f"{label}#{form}", locale=locale) is None:
                yield _lacks(locale, DIRECTORY, f"the label '{label}#{form}'")
    words = {name: book.texts.words(name, locale=locale) for name in ENGINE_WORDS}
    for name, found in words.items():
        if not found:
            yield _lacks(locale, ENGINE, f"the list '{name}'")
    for first, second in combinations(ENGINE_WORDS, 2):
        for word in sorted(words[first] & words[second]):
            sentence = f"'{word}' stands in '{first}' and in '{second}'."
            yield Problem(file=_file(locale, ENGINE), line=0, sentence=sentence)


def _tips(book: Book, locale: str) -> Iterator[Problem]:
    """Every tip has words for every audience, and they are short."""
    sheet = book.texts.sheets[locale].get(TIPS)
    texts = sheet.texts if sheet else {}
    wanted = [f"{tip}{variant}" for tip in book.tips for variant in AUDIENCES.values()]
    for key in (*wanted, TIPS_OVER):
        if key not in texts:
            yield _lacks(locale, TIPS, f"the text '{key}'")
        elif len(texts[key].text) > MAX_TIP:
            size = len(texts[key].text)
            sentence = f"'{key}' is {size} letters long; a tip has {MAX_TIP}."
            yield Problem(file=_file(locale, TIPS), line=texts[key].line, sentence=sentence)
    if book.tips and _own_title(book, "no_more", flow=TIPS, locale=locale, text=None) is None:
        yield _lacks(locale, TIPS, "the title of the button 'no_more'")


def _flow(book: Book, flow: Flow, locale: str, *, countries: Sequence[str]) -> Iterator[Problem]:
    missing = list(_gaps(book, flow, locale, countries=countries))
    if missing and flow.name not in book.texts.sheets[locale]:
        # A file that nobody has translated yet is one sentence, not fifty.
        yield _lacks(locale, flow.name, "the whole file")
    else:
        yield from missing


def _gaps(book: Book, flow: Flow, locale: str, *, countries: Sequence[str]) -> Iterator[Problem]:
    for key in sorted(_answers(book, flow.name)):
        if _own_text(book, key, flow=flow.name, locale=locale) is None:
            yield _lacks(locale, flow.name, f"the text '{key}', which tells an answer,")
    for name, node in flow.nodes.items():
        for key in text_keys(node):
            if _own_text(book, key, flow=flow.name, locale=locale) is None:
                yield _lacks(locale, flow.name, f"the text '{key}', which '{name}' says,")
        if (
            isinstance(node, CollectNode)
            and node.skip
            and _own_title(book, "skip", flow=flow.name, locale=locale, text=None) is None
        ):
            yield _lacks(locale, COMMON, "the title of the button 'skip'")
        if isinstance(node, CaseNode):
            yield from _consent(book, flow, name, node, locale)
        if isinstance(node, AskNode):
            text = _own_text(book, node.ask, flow=flow.name, locale=locale)
            slugs = [*node.choices, *_option_slugs(book, node, countries=countries)]
            for slug in slugs:
                title = _own_title(book, slug, flow=flow.name, locale=locale, text=text)
                if title is None:
                    yield _lacks(locale, flow.name, f"the title of the button '{slug}' at '{node.ask}'")


def _answers(book: Book, flow: str) -> frozenset[str]:
    """The keys of a flow's sheets that say what an answer means, for ``{slot:name}``."""
    sheets = [own[flow] for own in book.texts.sheets.values() if flow in own]
    shown = {name for sheet in sheets for text in sheet.texts.values() for name in placeholders(text.text)}
    begin = tuple(f"{name.removeprefix(SLOT)}_" for name in shown if name.startswith(SLOT))
    return frozenset(
        plain
        for sheet in sheets
        for key in sheet.texts
        if begin and (plain := plain_key(key)).startswith(begin)
    )


def _consent(book: Book, flow: Flow, name: str, node: CaseNode, locale: str) -> Iterator[Problem]:
    """What counts as agreed to must have been read: as a text of its own or inside another of this flow."""
    consent = _own_text(book, node.consent, flow=flow.name, locale=locale)
    said = {
        key for other in flow.nodes.values() if not isinstance(other, CaseNode) for key in text_keys(other)
    }
    shown = [text for key in said if (text := _own_text(book, key, flow=flow.name, locale=locale))]
    if consent and not any(consent.text in text.text for text in shown):
        sentence = (
            f"'{node.consent}' is what visitors agree to at '{name}', but no text of this flow shows it."
        )
        yield Problem(file=consent.file, line=consent.line, sentence=sentence)


def _option_slugs(book: Book, node: AskNode, *, countries: Sequence[str]) -> tuple[str, ...]:
    match node.options:
        case "countries":
            return tuple(countries)
        case "locales":
            return book.locales
        case _:  # Guesses and platforms carry their own names.
            return ()


def _directory(book: Book, locale: str, *, countries: Sequence[str]) -> Iterator[Problem]:
    for platform, entry in book.directory.platforms.items():
        if not (entry.names.get(locale) or entry.names.get("")):
            yield _platform(entry, f"the platform '{platform}' has no name in '{locale}'.")
        for action, steps in entry.steps.items():
            if locale not in steps.texts:
                yield _platform(entry, f"'{action}' of the platform '{platform}' is missing in '{locale}'.")
            for mistake in mistakes(steps.texts.get(locale, "")):
                yield _platform(entry, f"'{action}' of the platform '{platform}' in '{locale}' {mistake}")
    other = book.directory.platforms.get(directory.OTHER_PLATFORM)
    known = {action for entry in book.directory.platforms.values() for action in entry.steps}
    for action in sorted(known - set(other.steps if other else ())):
        yield _platform(
            other, f"'{directory.OTHER_PLATFORM}' has no '{action}'; it stands for every app not listed."
        )
    for country in countries:
        first = book.directory.lines(country)[:1]
        if not any(directory.dialable(line.phones) for line in first):
            file = book.directory.countries.get(country, directory.Country()).file
            yield Problem(file=file, line=0, sentence=f"{country} is offered, but has no line to call.")


def _platform(entry: directory.Platform | None, sentence: str) -> Problem:
    return Problem(file=entry.file if entry else directory.PLATFORMS, line=0, sentence=sentence)


def _sheets(book: Book, *, countries: Sequence[str]) -> Iterator[Problem]:
    used = _used(book)
    printed = {document.sheet for document in book.documents.values()}
    for locale in book.locales:
        longest = _longest(book, locale=locale, countries=countries)
        for sheet in book.texts.sheets[locale].values():
            if sheet.name in printed:
                continue  # What stands on paper has checks of its own.
            if sheet.name not in SHARED and sheet.name not in book.flows:
                hint = did_you_mean(sheet.name, book.flows)
                yield Problem(file=sheet.file, line=0, sentence=f"there is no flow '{sheet.name}'.{hint}")
                continue
            for key, text in sheet.texts.items():
                yield from _one_text(sheet, key, text, used=used, longest=longest)
            yield from _title_sizes(sheet.file, 0, sheet.choices)


def _used(book: Book) -> Mapping[str, frozenset[str]]:
    """Sheet name to the keys that somebody says."""
    said = {
        flow.name: {key for node in flow.nodes.values() for key in text_keys(node)}
        for flow in book.flows.values()
    }
    printed = {key for document in book.documents.values() for key in document.keys}
    shared = {key for keys in said.values() for key in keys} | {*ENGINE_TEXTS, *ENGINE_MAY_SAY, *printed}
    handover = said.get(HANDOVER, set()) | {*HANDOVER_TEXTS, *HANDOVER_MAY_SAY}
    labels = {*LABELS, *COUNTED_LABELS}
    return {
        **{name: frozenset(keys) | _answers(book, name) for name, keys in said.items()},
        HANDOVER: frozenset(handover),
        REPORT_STATUS: frozenset(said.get(REPORT_STATUS, set()) | {*case_code.TEXTS}),
        CLASS_SURVEY: frozenset(said.get(CLASS_SURVEY, set()) | {CLASS_LOOKING}),
        ASSESSMENT: frozenset(said.get(ASSESSMENT, set()) | {*REASONS}),
        COMMON: frozenset(shared),
        ENGINE: frozenset(shared),
        DIRECTORY: frozenset(labels),
        INTENTS: frozenset(book.intents),
        TIPS: frozenset({*book.tips, TIPS_OVER}),
    }


def _one_text(
    sheet: Sheet, key: str, text: Text, *, used: Mapping[str, frozenset[str]], longest: Mapping[str, int]
) -> Iterator[Problem]:
    def problem(sentence: str) -> Problem:
        return Problem(file=sheet.file, line=text.line, sentence=sentence)

    plain = plain_key(key)
    yield from map(
        problem, _wrong_form(sheet, key, counted=sheet.name == DIRECTORY and plain in COUNTED_LABELS)
    )
    language = sheet.name == DIRECTORY and key.startswith(LANGUAGE_LABEL)
    if plain not in used[sheet.name] and not language:
        hint = did_you_mean(plain, used[sheet.name])
        yield problem(f"nobody says the text '{key}'.{hint}")
    known = LABEL_PLACEHOLDERS if sheet.name == DIRECTORY else {*PLACEHOLDERS, *longest}
    found = placeholders(text.text)
    for name in sorted(found - set(known)):
        hint = did_you_mean(name, known)
        yield problem(f"'{key}' holds {{{name}}}, which nothing can fill.{hint}")
    size = len(text.text) + sum(longest.get(name, 0) * text.text.count(f"{{{name}}}") for name in found)
    if size > MAX_MESSAGE:
        yield problem(f"'{key}' can grow to {size} letters; Telegram takes {MAX_MESSAGE}.")
    for mistake in mistakes(text.text):
        yield problem(f"'{key}' {mistake}")
    if sheet.name == INTENTS and len(text.text) > MAX_TITLE:
        yield problem(f"'{text.text}' is {len(text.text)} letters long; a button shows {MAX_TITLE}.")
    yield from _title_sizes(sheet.file, text.line, text.choices)


def _wrong_form(sheet: Sheet, key: str, *, counted: bool) -> Iterator[str]:
    """What is wrong with the form in a key, and with the forms that its variant lacks."""
    form, known = form_of(key), plural.forms(sheet.locale)
    base, variant = plain_key(key), key.partition("@")[2]
    if form and not counted:
        yield f"'{key}' is said without a number, so it cannot have the form '{form}'."
    elif counted and form not in known:
        wanted = ", ".join(f"{base}#{name}" for name in known)
        yield f"'{key}' must have one of this language's forms: {wanted}."
    elif counted and variant:
        for name in known:
            if f"{base}#{name}@{variant}" not in sheet.texts:
                yield f"'{key}' needs '{base}#{name}@{variant}' beside it."


def _title_sizes(file: str, line: int, titles: Mapping[str, str]) -> Iterator[Problem]:
    for title in titles.values():
        if len(title) > MAX_TITLE:
            yield Problem(
                file=file,
                line=line,
                sentence=f"the button '{title}' is {len(title)} letters long; a phone shows {MAX_TITLE}.",
            )
        if placeholders(title):
            yield Problem(
                file=file, line=line, sentence=f"the button '{title}' cannot hold a placeholder in braces."
            )
        if not is_plain(runs_of(title)):
            yield Problem(
                file=file, line=line, sentence=f"the button '{title}' can hold neither bold words nor a link."
            )


def _longest(book: Book, *, locale: str, countries: Sequence[str]) -> Mapping[str, int]:
    """For each placeholder that grows, the most letters it can become in this locale."""
    shown, texts = book.directory, book.texts
    places: list[str | None] = [None, *shown.countries]
    apps: list[str | None] = [None, *shown.platforms]
    rendered = {
        "helpline": [
            directory.helpline(shown, texts, locale=locale, country=country, countries=countries)
            for country in places
        ],
        "helpline_now": [
            directory.helpline_now(shown, texts, locale=locale, country=country, countries=countries)
            for country in places
        ],
        "emergency": [
            directory.emergency(shown, texts, locale=locale, country=country, countries=countries)
            for country in places
        ],
        "call": [directory.call(shown, texts, locale=locale, country=country) for country in places],
        "write_instead": [
            directory.write_instead(shown, texts, locale=locale, country=country) for country in places
        ],
        CHOICES: ["x" * (MAX_TITLE + len("1. ") + 1) * MAX_CHOICES],
        "takedown": [directory.takedown(shown, locale=locale)],
        "why": ["\n".join(_longest_reason(book, reason, locale=locale) for reason in REASONS)],
        "not_reviewed": [
            text.text
            for key in (NONE_REVIEWED, SOME_REVIEWED)
            if (text := _own_text(book, key, flow=COMMON, locale=locale))
        ],
        "platform": [
            directory.platform_name(shown, texts, locale=locale, platform=platform) for platform in apps
        ],
    }
    for question, answers in _counted(book).items():
        rendered[f"{BARS}{question}"] = ["".join(_bar(book, slug, locale=locale) for slug in answers)]
    for slot in _typed(book):
        rendered[f"{SLOT}{slot}"] = ["x" * MAX_SLOT]
    for slot, words in _chosen(book, locale=locale).items():
        rendered.setdefault(f"{SLOT}{slot}", []).extend(words)
    for action in directory.ACTIONS:
        rendered[f"{action}_steps"] = [
            directory.steps(shown, texts, locale=locale, platform=platform, action=action)
            for platform in apps
        ]
    return {name: max((len(text) for text in texts), default=0) for name, texts in rendered.items()}


def _counted(book: Book) -> Mapping[str, tuple[str, ...]]:
    """The questions that are counted for a class, with their answers."""
    flow = book.flows.get(CLASS_SURVEY)
    return {name: answers for name in (flow.nodes if flow else ()) if (answers := counted(book, name))}


def _bar(book: Book, slug: str, *, locale: str) -> str:
    """The longest line that an answer's bar can become."""
    title = _own_title(book, slug, flow=CLASS_SURVEY, locale=locale, text=None) or slug
    most = classroom.in_steps(classroom.MOST_PUPILS)
    return tally.bar(book.texts, locale=locale, title=title, number=most) + "\n"


def _typed(book: Book) -> frozenset[str]:
    """The slots that hold a visitor's own words."""
    nodes = (node for flow in book.flows.values() for node in flow.nodes.values())
    return frozenset(node.save for node in nodes if isinstance(node, CollectNode))


def _chosen(book: Book, *, locale: str) -> Mapping[str, list[str]]:
    """The slots that buttons or flows fill, and what may be shown for them."""
    found: dict[str, list[str]] = {}
    for flow in book.flows.values():
        sheet = book.texts.sheets[locale].get(flow.name)
        texts = sheet.texts.items() if sheet else ()
        for node in flow.nodes.values():
            for slot in _filled(node):
                words = [text.text for key, text in texts if key.startswith(f"{slot}_")]
                found.setdefault(slot, ["x" * MAX_TITLE]).extend(words)
    return found


def _filled(node: Node) -> tuple[str, ...]:
    match node:
        case AskNode(save=str(slot)):
            return (slot,)
        case SetNode():
            return tuple(node.values)
        case _:
            return ()


def _longest_reason(book: Book, reason: str, *, locale: str) -> str:
    """The longest words for a reason, over all roles, with the bullet before them."""
    sheet = book.texts.sheets[locale].get(ASSESSMENT)
    texts = sheet.texts.items() if sheet else ()
    return "• " + max((text.text for key, text in texts if plain_key(key) == reason), key=len, default="")


def _same_everywhere(book: Book) -> Iterator[Problem]:
    """A placeholder that one language has and another lacks is a fact that some children are not told."""
    for first, second in combinations(book.locales, 2):
        for name, sheet in book.texts.sheets[first].items():
            other = book.texts.sheets[second].get(name)
            for key, text in sheet.texts.items():
                twin = other.texts.get(key) if other else None
                if other is None or twin is None:
                    continue
                for lacking, having, place, spot in (
                    (other, first, twin, placeholders(text.text) - placeholders(twin.text)),
                    (sheet, second, text, placeholders(twin.text) - placeholders(text.text)),
                ):
                    for missing in sorted(spot):
                        sentence = f"'{key}' lacks {{{missing}}}, which it has in '{having}'."
                        yield Problem(file=lacking.file, line=place.line, sentence=sentence)


def _danger(book: Book) -> Iterator[Problem]:
    """The first words of the danger flow hold the number, in every language and every variant."""
    flow = book.flows.get(DANGER)
    if flow is None:
        return
    for where, name in first_sayings(book, flow):
        key = text_keys(where.nodes[name])[0]
        for locale in book.locales:
            sheet = book.texts.sheets[locale].get(where.name)
            for found, text in sheet.texts.items() if sheet else ():
                if plain_key(found) == key and "helpline" not in placeholders(text.text):
                    sentence = f"'{found}' can be the first words in danger and must hold {{helpline}}."
                    yield Problem(file=text.file, line=text.line, sentence=sentence)
