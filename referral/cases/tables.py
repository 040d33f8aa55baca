"""Which tables hold a case and its thread; the thread is the record, and its words are sealed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, mapped_column, with_loader_criteria

from referral.cases.codes import ONLINE_HARMS
from referral.cases.coding import Action, Occurred
from referral.cases.rules import CaseState, DangerLevel, EntryKind, Face, Happening, Outcome
from referral.database import Base
from referral.library.tables import LibraryFile


def _one_of(members: Iterable[str]) -> str:
    return ", ".join(f"'{member}'" for member in members)


_RANK = "CASE danger {} END".format(" ".join(f"WHEN '{level}' THEN {level.rank}" for level in DangerLevel))


class Case(Base):
    """A conversation that needs a person."""

    __tablename__ = "case"
    __table_args__ = (
        # Stored values are the slugs that the code knows.
        CheckConstraint(f"state IN ({_one_of(CaseState)})", name="case_state_is_known"),
        CheckConstraint(f"danger IN ({_one_of(DangerLevel)})", name="case_danger_is_known"),
        CheckConstraint(f"outcome IN ({_one_of(Outcome)})", name="case_outcome_is_known"),
        # Somebody holds a case exactly while it is held, and one person only.
        CheckConstraint("(state = 'held') = (holder_id IS NOT NULL)", name="held_has_holder"),
        # A closed case says how it ended and when; an open one cannot have ended.
        CheckConstraint("(state = 'closed') = (outcome IS NOT NULL)", name="closed_has_outcome"),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_has_time"),
        # What an operator closed carries a code for the yearly report.
        CheckConstraint(
            "outcome IS NULL OR outcome IN ('left', 'forgotten')"
            " OR (code IS NOT NULL AND closer_id IS NOT NULL)",
            name="closed_by_operator_has_code",
        ),
        # What a case is coded with is what the code knows, and only a closed case is coded.
        CheckConstraint(f"occurred IN ({_one_of(Occurred)})", name="case_occurred_is_known"),
        CheckConstraint(f"online_harm IN ({_one_of(ONLINE_HARMS)})", name="case_online_harm_is_known"),
        CheckConstraint(f"actions <@ ARRAY[{_one_of(Action)}]", name="case_actions_are_known"),
        CheckConstraint(
            "state = 'closed' OR (occurred IS NULL AND online_harm IS NULL AND counselled IS NULL"
            " AND actions = '{}')",
            name="coded_is_closed",
        ),
        # What happened online did not happen offline only.
        CheckConstraint("online_harm IS NULL OR occurred <> 'offline'", name="online_harm_is_online"),
        # A case without words keeps no card and no link to the visitor, and nobody works on it.
        CheckConstraint(
            "forgotten_at IS NULL OR (card IS NULL AND conversation IS NULL AND state = 'closed')",
            name="forgotten_is_empty",
        ),
        # Every other case has both, so that the operator never starts with nothing.
        CheckConstraint(
            "forgotten_at IS NOT NULL OR (card IS NOT NULL AND conversation IS NOT NULL)",
            name="remembered_is_whole",
        ),
        # A clock has a warning and an end; only a clock can have run out.
        CheckConstraint(
            "(due_at IS NULL) = (warn_at IS NULL) AND (overdue_at IS NULL OR due_at IS NOT NULL)",
            name="case_clock_is_whole",
        ),
        # Whoever waits in line has a clock that somebody watches.
        CheckConstraint("state <> 'waiting' OR due_at IS NOT NULL", name="waiting_has_clock"),
        # After the end nobody is late any more.
        CheckConstraint("state <> 'closed' OR due_at IS NULL", name="closed_has_no_clock"),
        # Only a case that somebody holds is set aside, and no clock runs meanwhile.
        CheckConstraint(
            "aside_until IS NULL OR (state = 'held' AND due_at IS NULL AND gone_at IS NULL)",
            name="aside_is_held",
        ),
        # A rehearsal tells whose words it has; a trigger keeps it what it is from birth to the end.
        CheckConstraint("rehearsal ~ '^[a-z0-9_]{1,40}$'", name="case_rehearsal_is_slug"),
        # What was rehearsed of late.
        Index("ix_case_rehearsal", "closed_at", postgresql_where=text("rehearsal IS NOT NULL")),
        # Two open cases never answer to the same name.
        Index(
            "uq_case_designation_open", "designation", unique=True, postgresql_where=text("state <> 'closed'")
        ),
        # Take next reads the first row of this index.
        Index(
            "ix_case_queue",
            text("danger_rank DESC"),
            "received_at",
            "id",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_case_holder", "holder_id", postgresql_where=text("state = 'held'")),
        Index("ix_case_conversation", "conversation"),
        # The months of a report.
        Index("ix_case_received", "received_at"),
        # How long an answer took of late.
        Index("ix_case_answered", "danger", "answered_at", postgresql_where=text("answered_at IS NOT NULL")),
        # What was closed longest ago and still has words.
        Index(
            "ix_case_kept",
            "closed_at",
            postgresql_where=text("state = 'closed' AND forgotten_at IS NULL"),
        ),
        # Few are set aside, and the watch asks for them every second.
        Index("ix_case_aside", "aside_until", postgresql_where=text("aside_until IS NOT NULL")),
        # Whose clock runs, or has run out.
        Index("ix_case_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        # What an operator closed of late.
        Index("ix_case_closer", "closer_id", "closed_at", postgresql_where=text("closer_id IS NOT NULL")),
    )

    number: Mapped[UUID] = mapped_column("id", primary_key=True)
    designation: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=CaseState.WAITING)
    danger: Mapped[str]
    danger_rank: Mapped[int] = mapped_column(SmallInteger, Computed(_RANK, persisted=True))
    #: The bot's pseudonym for the visitor; opaque here.
    conversation: Mapped[str | None]
    channel: Mapped[str]
    locale: Mapped[str]
    country: Mapped[str | None]
    role: Mapped[str | None]
    #: The intent or flow that led here.
    reason: Mapped[str]
    #: Sealed JSON: the hand-over card, what the bot said, what the visitor agreed to.
    card: Mapped[bytes | None]
    #: When the visitor asked for a person, by the bot's clock.
    opened_at: Mapped[datetime]
    #: When we heard of it, by ours; the age that orders the queue.
    received_at: Mapped[datetime]
    holder_id: Mapped[UUID | None] = mapped_column(ForeignKey("operator.id"))
    taken_at: Mapped[datetime | None]
    #: Until when its holder has set it aside; none while it is awake.
    aside_until: Mapped[datetime | None]
    #: When it was last woken: from then on its holder owes the visitor a word.
    woken_at: Mapped[datetime | None]
    closer_id: Mapped[UUID | None] = mapped_column(ForeignKey("operator.id"))
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    code: Mapped[str | None]
    #: The clock of a visitor who waits for an answer; none while nobody owes them one.
    warn_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    #: When it was noticed that this clock had run out.
    overdue_at: Mapped[datetime | None]
    #: When an operator answered for the first time.
    answered_at: Mapped[datetime | None]
    #: The rest of the coding; none for cases that were closed before it was asked for.
    occurred: Mapped[str | None]
    online_harm: Mapped[str | None]
    counselled: Mapped[bool | None]
    actions: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    #: Since when the visitor cannot be written to any more.
    gone_at: Mapped[datetime | None]
    #: Since when nothing of what was handed over may go any further.
    consent_revoked_at: Mapped[datetime | None]
    #: Whether the visitor said how the talk was; what they said is kept apart from the case.
    rated: Mapped[bool] = mapped_column(server_default=text("false"))
    #: Since when no word is left of it: the visitor asked for that, or its time was over.
    forgotten_at: Mapped[datetime | None]
    #: When the visitor's messenger last told that they write, and that they see what was written.
    visitor_writes_at: Mapped[datetime | None]
    visitor_saw_at: Mapped[datetime | None]
    #: Which script the child of a rehearsal has; none for every visitor who lives.
    rehearsal: Mapped[str | None]


_REHEARSES = "rehearses"


def rehearse(session: AsyncSession) -> None:
    """From now on this session is about rehearsals, and sees no other case."""
    session.info[_REHEARSES] = True


def rehearses(session: AsyncSession) -> bool:
    """True of a session that is about rehearsals."""
    return bool(session.info.get(_REHEARSES, False))


@event.listens_for(Session, "do_orm_execute")
def _keep_apart(state: ORMExecuteState) -> None:
    """Every query sees either the cases that are real, which is what it gets unless it asks, or rehearsals.

    Here and not in the queries, since one query that forgets it would page somebody for a child who does not
    exist, or count that child in a report.
    """
    if state.is_column_load or state.is_relationship_load:
        return
    rehearsal = state.session.info.get(_REHEARSES, False)
    wanted = Case.rehearsal.is_not(None) if rehearsal else Case.rehearsal.is_(None)
    if state.is_select or state.is_update or state.is_delete:
        state.statement = state.statement.options(with_loader_criteria(Case, wanted, include_aliases=True))


class Message(Base):
    """One entry of a thread: words of somebody, a note, or something that happened."""

    __tablename__ = "message"
    __table_args__ = (
        PrimaryKeyConstraint("case_id", "id", name="pk_message"),
        CheckConstraint(f"kind IN ({_one_of(EntryKind)})", name="message_kind_is_known"),
        CheckConstraint(f"happened IN ({_one_of(Happening)})", name="message_happening_is_known"),
        CheckConstraint(f"danger IN ({_one_of(DangerLevel)})", name="message_danger_is_known"),
        # Only an event records something that happened, and it always does.
        CheckConstraint("(kind = 'event') = (happened IS NOT NULL)", name="event_has_happening"),
        # Somebody of ours stands behind what operators write.
        CheckConstraint("kind NOT IN ('operator', 'note') OR author_id IS NOT NULL", name="author_is_known"),
        # Only an operator gives something, and one thing at a time.
        CheckConstraint(
            "num_nonnulls(file_id, document) = 0"
            " OR (kind = 'operator' AND num_nonnulls(file_id, document) = 1)",
            name="given_by_operator",
        ),
        # Words are there until they are erased.
        CheckConstraint("kind = 'event' OR (text IS NULL) = (erased_at IS NOT NULL)", name="words_or_erased"),
        Index("uq_message_seq", "seq", unique=True),
        Index("ix_message_thread", "case_id", "seq"),
    )

    number: Mapped[UUID] = mapped_column("id")
    case_id: Mapped[UUID] = mapped_column(ForeignKey("case.id", ondelete="CASCADE"))
    #: The order of the thread; entries of one case are written one after another.
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    kind: Mapped[str]
    happened: Mapped[str | None]
    #: Sealed words.
    text: Mapped[bytes | None]
    #: Which text of ours this is, of the bot's or a reply, so that it can be shown in another language.
    key: Mapped[str | None]
    #: What was given with it: a file of the library, or one of the bot's documents.
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey(LibraryFile.number))
    document: Mapped[str | None]
    danger: Mapped[str | None]
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("operator.id"))
    sent_at: Mapped[datetime]
    #: When a visitor's words reached us, by our clock; none for what was said before the case was opened.
    heard_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]


class Mention(Base):
    """A colleague who is named in a private note."""

    __tablename__ = "mention"
    __table_args__ = (
        PrimaryKeyConstraint("case_id", "message_id", "operator_id", name="pk_mention"),
        ForeignKeyConstraint(
            ["case_id", "message_id"],
            ["message.case_id", "message.id"],
            name="fk_mention_message",
            ondelete="CASCADE",
        ),
        # What a desk shows.
        Index("ix_mention_unread", "operator_id", postgresql_where=text("read_at IS NULL")),
    )

    case_id: Mapped[UUID]
    message_id: Mapped[UUID]
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"))
    read_at: Mapped[datetime | None]


class Rating(Base):
    """How many visitors said of their talk that it was so, in a month; which of them, nobody knows."""

    __tablename__ = "rating"
    __table_args__ = (
        PrimaryKeyConstraint("month", "locale", "face", name="pk_rating"),
        CheckConstraint(f"face IN ({_one_of(Face)})", name="rating_face_is_known"),
        CheckConstraint("number > 0", name="rating_counts"),
    )

    #: ``2026-11``, by the clock of the reports.
    month: Mapped[str]
    locale: Mapped[str]
    face: Mapped[str]
    number: Mapped[int]
