"""What an operator is offered for a case: replies in the visitor's language and in their own, macros."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from referral.language import SOURCE, reader
from referral.replies.repository import ReplyRepository
from referral.replies.rules import LOCALES, Macro, Reply, filled

#: Stands for whoever sent a reply until that is known.
AUTHOR = "{operator}"
#: Tells a visitor when somebody writes to them again.
WRITE_AGAIN = "write_again"
#: How a sent reply is called in the thread.
KEY = "reply."


def reads() -> str:
    """The language of whoever looks at the page, as far as there are replies in it."""
    tag = reader().language.tag
    return tag if tag in LOCALES else SOURCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One reply, ready to be sent to this visitor."""

    slug: str
    #: In the operator's language.
    title: str
    #: In the visitor's.
    text: str
    #: What it says, in the operator's language; none where both are the same.
    gloss: str | None
    template: bool

    @property
    def key(self) -> str:
        """How it is called in the thread."""
        return f"{KEY}{self.slug}"


class Offers:
    """The replies for one visitor, within one transaction."""

    def __init__(self, replies: ReplyRepository, *, locale: str, values: Mapping[str, str]) -> None:
        self._replies = replies
        self._locale = locale if locale in LOCALES else SOURCE
        self._reads = reads()
        self._values = values

    async def replies(self) -> Sequence[Offer]:
        """All that can be said here; a reply whose placeholders nothing is known for is left out."""
        spoken = await self._replies.replies(self._locale)
        read = spoken if self._locale == self._reads else await self._replies.replies(self._reads)
        return [offer for slug, reply in spoken.items() if (offer := self._offer(reply, also=read.get(slug)))]

    async def named(self, slug: str) -> Offer | None:
        """One of them."""
        return next((offer for offer in await self.replies() if offer.slug == slug), None)

    async def macros(self) -> Sequence[tuple[Macro, Offer | None]]:
        """The macros whose reply can be said here, each with it."""
        offers = {offer.slug: offer for offer in await self.replies()}
        return [
            (macro, offers.get(macro.reply or ""))
            for macro in await self._replies.macros()
            if macro.reply is None or macro.reply in offers
        ]

    def _offer(self, reply: Reply, *, also: Reply | None) -> Offer | None:
        text = filled(reply.text, self._values)
        if text is None:
            return None
        foreign = also is not None and self._locale != self._reads
        return Offer(
            slug=reply.slug,
            title=(also or reply).title,
            text=text,
            gloss=filled(also.text, self._values) if also and foreign else None,
            template=reply.template,
        )
