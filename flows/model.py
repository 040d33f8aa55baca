"""What are flows made of? The shapes that the loader fills and the engine walks, all of them frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from flows.directory import Directory
from flows.events import DangerLevel
from flows.review import NOT_YET
from flows.texts import SLOT, Texts

#: What ``save`` may set besides slots: these are fields of the conversation's state.
STATE_FIELDS = ("country", "role", "locale")
ROLES = ("child", "teen", "parent", "teacher")
#: What ``options`` may offer, all of them known to the engine and none of them written into a flow.
OPTIONS = ("countries", "locales", "guesses", "platforms", "more_platforms")
#: A platform may be named although it has no button: nobody has room for all of them.
PLATFORM_OPTIONS = ("platforms", "more_platforms")
#: The case of ``branch`` for what is not known, such as a slot that was not filled.
UNKNOWN = "unknown"
#: What ``branch`` may ask about; ``slot:<name>`` is also possible.
#: What a document can be made as, and how its pages look.
FORMATS = ("pdf", "png")
LAYOUTS = ("pages", "workbook", "certificate")
#: How the text files of documents begin.
DOCUMENT_SHEET = "document_"
BRANCHES = ("role", "country", "channel", "locale", "intent", "mode", "danger", "desk", "code", "assessment")
EFFECTS = (
    "forget", "leave_case", "stop", "start_tips", "stop_tips", "open_class", "look_at_class", "close_class",
    "revoke", "rate_good", "rate_so_so", "rate_bad",
)  # fmt: skip
#: The messengers that a visitor may write on, for ``branch: channel``.
CHANNELS = ("telegram", "viber", "web")
#: A question with more buttons than this is a list to search, not a question (and fills a phone's screen).
MAX_CHOICES = 8

#: Flows that the engine itself enters by name.
WELCOME = "welcome"
MENU = "menu"
DANGER = "danger"
DANGER_QUESTION = "danger_question"
HANDOVER = "handover"
NOT_UNDERSTOOD = "not_understood"
DAILY_TIP = "daily_tip"
STOP_SHARING = "stop_sharing"
RATE_TALK = "rate_talk"
REPORT_STATUS = "report_status"
CLASS_SURVEY = "class_survey"
CLASS_TOLD = "class_told"
CLASS_MODE = "class_mode"
#: Without these a conversation cannot be held.
REQUIRED_FLOWS = (WELCOME, MENU, DANGER, HANDOVER)

#: Intents that put a life or a child's body at risk: they push the danger flow, whatever flow claims them.
DANGER_INTENTS = frozenset({"suicidal", "self_harm", "immediate_danger", "friend_in_crisis", "sexual_abuse"})
#: Intents that tell what happened; the hand-over card lists them.
INCIDENTS = DANGER_INTENTS | frozenset(
    {
        "insults", "exclusion", "rumours", "threats", "hate_speech", "impersonation", "account_hacked",
        "doxxing", "images_shared", "intimate_images", "blackmail", "grooming", "stalking",
        "sexual_harassment", "offline_violence", "abuse_at_home", "feeling_bad", "wants_revenge",
        "bystander", "i_bullied", "parent_child_bullied", "parent_child_bullies", "teacher_incident",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """Something that a content editor has to repair, told in a sentence."""

    #: Path inside the content folder, such as ``definitions/insults.yaml``; absolute if it lies elsewhere.
    file: str
    #: Counted from 1; 0 when the whole file is meant.
    line: int
    sentence: str

    def __str__(self) -> str:
        file = self.file if self.file.startswith("/") else f"flows/{self.file}"
        where = f"{file}, line {self.line}" if self.line else file
        return f"{where}: {self.sentence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeout:
    """How long a wait lasts and which node follows when nobody answers."""

    after: timedelta
    go: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SayNode:
    """Say one or more texts, each its own message; ``go`` is None where the flow ends after it."""

    line: int
    say: tuple[str, ...]
    go: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskNode:
    """Say a text with buttons and wait for a choice."""

    line: int
    ask: str
    #: Choice slug to target node, in the order of the buttons.
    choices: Mapping[str, str]
    options: str | None
    #: Where every option goes.
    go: str | None
    save: str | None
    timeout: Timeout | None
    otherwise: str | None
    #: Whether the answer is counted for a class, and kept nowhere else.
    counts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectNode:
    """Ask for free text and keep it in a slot."""

    line: int
    collect: str
    save: str
    go: str
    skip: str | None
    timeout: Timeout | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchNode:
    """Go on by what is already known."""

    line: int
    branch: str
    cases: Mapping[str, str]
    otherwise: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNode:
    """Run another flow and come back."""

    line: int
    call: str
    go: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetNode:
    """Fill slots with fixed words, or with what another slot holds: ``slot:<name>``."""

    line: int
    values: Mapping[str, str]
    go: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseNode:
    """Put the conversation into the helpline's queue."""

    line: int
    reason: str
    danger: DangerLevel
    #: Key of the text in which the visitor was asked.
    consent: str
    go: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectNode:
    """Forget the visitor, leave the case, stop writing, begin and end the daily tips, or see to a class."""

    line: int
    effect: str
    go: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandNode:
    """Hand the visitor a printable document, made for them."""

    line: int
    document: str
    go: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndNode:
    """Return to the caller; the outermost flow ends here and the conversation rests."""

    line: int


Node = (
    SayNode
    | AskNode
    | CollectNode
    | BranchNode
    | CallNode
    | SetNode
    | CaseNode
    | EffectNode
    | HandNode
    | EndNode
)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """For whom a flow is, where its advice comes from, and who has reviewed it."""

    audience: str = ""
    source: str = ""
    #: ``not yet``, or who reviewed it and when.
    reviewed: str = NOT_YET


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One conversation about one thing."""

    name: str
    file: str
    about: About
    intents: tuple[str, ...]
    #: The line on which ``intents`` stands, for problems.
    intents_line: int
    start: str
    #: True when it may interrupt anywhere, also a free text, and returns to where the visitor was.
    interrupt: bool
    nodes: Mapping[str, Node]
    #: Names that this flow once had.
    formerly: tuple[str, ...] = ()
    #: Node as it was once called to node as it is called now, for conversations that stand there.
    renamed: Mapping[str, str] = field(default_factory=dict)


class BlockKind(StrEnum):
    """What may stand on a printed page; ``flows/documents/README.md`` shows each to editors."""

    TITLE = "title"
    HEADING = "heading"
    TEXT = "text"
    NOTE = "note"  # A text that must not be overlooked, in a box.
    BULLETS = "bullets"  # Each line of the text is a point.
    CHECKLIST = "checklist"  # Each line of the text has a box to tick.
    CARDS = "cards"  # Texts in boxes beside each other; the first line is the card's title.
    FIELDS = "fields"  # Labels beside each other, each with a line to write on.
    ANSWER = "answer"  # What the visitor answered, or empty lines where they did not.
    LINES = "lines"  # Empty lines to write on.
    FRAME = "frame"  # An empty frame to draw in, so many centimetres high.
    TABLE = "table"
    PICTURE = "picture"
    PAGE_BREAK = "page_break"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One thing on a printed page; which of the fields count, its kind says."""

    line: int
    kind: BlockKind
    #: Keys of texts: what it says, the labels of fields, the heads of a table, what a picture shows.
    keys: tuple[str, ...] = ()
    #: Whose answers stand there: one for an answer; for a table one a column, with ``{row}`` in its name.
    slots: tuple[str, ...] = ()
    #: How many lines or rows; for a frame and a picture the height in centimetres.
    count: int = 0
    picture: str = ""
    #: How wide the columns of a table are beside each other; empty where all are equal.
    widths: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Something to print, save or show: ``documents/<name>.yaml``."""

    name: str
    file: str
    about: About
    formats: tuple[str, ...]
    layout: str
    #: The slots whose answers it may show; one that ends in ``*`` stands for all that begin so.
    slots: tuple[str, ...]
    #: What a flow notes in a slot where nothing was answered.
    unanswered: tuple[str, ...]
    #: Key of what stands at the foot of every page; empty for none.
    footer: str
    blocks: tuple[Block, ...]

    def shows(self, slot: str) -> bool:
        """Whether it may show what was answered here."""
        return is_named(slot, self.slots)

    @property
    def sheet(self) -> str:
        """The name of its text file in every language."""
        return f"{DOCUMENT_SHEET}{self.name}"

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all its texts, each once."""
        said = [key for block in self.blocks for key in block.keys]
        return tuple(dict.fromkeys([*said, *([self.footer] if self.footer else [])]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Everything that Porchlight can say and knows where to send people, read once and never changed."""

    flows: Mapping[str, Flow]
    texts: Texts
    directory: Directory
    #: Intent to the lowest danger level that it raises by itself.
    intents: Mapping[str, DangerLevel]
    #: Intent to the flow that answers it.
    answers: Mapping[str, str]
    #: Daily tip to the fact that each audience's words rest on, in the order in which the tips come.
    tips: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: Slot to the answers that buttons and flows put into it; anything else in it was typed.
    ready_answers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: Former name of a flow to its name now.
    successors: Mapping[str, str] = field(default_factory=dict)
    #: Flow to the questions that visitors may stand at since it was last released.
    released: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    documents: Mapping[str, Document] = field(default_factory=dict)
    #: Name to SVG of the pictures that documents show.
    pictures: Mapping[str, str] = field(default_factory=dict)

    @property
    def locales(self) -> tuple[str, ...]:
        """The languages that every text exists in, in alphabetical order of their codes."""
        return self.texts.locales


def is_named(slot: str, names: Iterable[str]) -> bool:
    """Whether a slot is one of these; a name that ends in ``*`` stands for all that begin so."""
    return any(
        slot.startswith(name.removesuffix("*")) if name.endswith("*") else slot == name for name in names
    )


def ready_answers(flows: Iterable[Flow], *, platforms: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Slot to every answer that a button or a flow can put into it."""
    found: dict[str, set[str]] = {}
    copied: list[tuple[str, str]] = []
    for flow in flows:
        for node in flow.nodes.values():
            match node:
                case AskNode(save=str(slot)):
                    found.setdefault(slot, set()).update(node.choices)
                    found[slot].update(platforms if node.options in PLATFORM_OPTIONS else ())
                case SetNode():
                    for slot, value in node.values.items():
                        found.setdefault(slot, set()).add(value)
                        copied += [(slot, value.removeprefix(SLOT))] if value.startswith(SLOT) else []
                case _:
                    pass
    for slot, source in copied:
        found[slot] |= found.get(source, set())
    return {slot: frozenset(values) for slot, values in found.items()}


def targets(node: Node) -> tuple[str, ...]:
    """The nodes of the same flow that may follow this one, each once."""
    found: list[str | None] = []
    match node:
        case SayNode() | CallNode() | SetNode() | CaseNode() | EffectNode() | HandNode():
            found.append(node.go)
        case AskNode():
            found += [*node.choices.values(), node.go, node.otherwise]
            found.append(node.timeout.go if node.timeout else None)
        case CollectNode():
            found += [node.go, node.skip, node.timeout.go if node.timeout else None]
        case BranchNode():
            found += [*node.cases.values(), node.otherwise]
        case EndNode():
            pass
    return tuple(dict.fromkeys(name for name in found if name is not None))


def text_keys(node: Node) -> tuple[str, ...]:
    """The keys of the flow's texts that this node says."""
    match node:
        case SayNode():
            return node.say
        case AskNode():
            return (node.ask,)
        case CollectNode():
            return (node.collect,)
        case CaseNode():
            return (node.consent,)
        case _:
            return ()


def is_wait(node: Node) -> bool:
    """Whether the conversation stops at this node until something happens."""
    return isinstance(node, AskNode | CollectNode)
