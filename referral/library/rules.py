"""Which files may be given to a child, and how are they made harmless? No database, no clock."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject

from referral.errors import FileRefused

#: What a file is given as: PDF stays PDF, pictures become PNG.
FORMS = ("pdf", "png")
MAX_TITLE = 80
#: A child with a slow phone fetches it.
MAX_FILE = 5 * 1024 * 1024
#: Viber takes no larger pictures: https://developers.viber.com/docs/api/rest-bot-api/#picture-message
MAX_PICTURE = 1024 * 1024
#: A picture of more has its size as its only purpose.
MAX_PIXELS = 40_000_000
#: Tried one after another until the picture is small enough.
_SIDES = (1600, 1200, 900, 600, 400)
_PICTURES = ("PNG", "JPEG", "WEBP", "GIF")
_PDF = b"%PDF-"
#: A document with more parts than this cannot be looked through.
_MOST_PARTS = 50_000

#: What makes a document do something by itself, or carry something else inside.
_ACTIVE_KEYS = frozenset(
    {"/JS", "/JavaScript", "/AA", "/EmbeddedFiles", "/EmbeddedFile", "/EF", "/RichMedia", "/XFA", "/Launch"}
)
_ACTIVE_ACTIONS = frozenset(
    {
        "/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToE", "/GoToR", "/Rendition", "/Movie",
        "/Sound", "/RichMediaExecute",
    }
)  # fmt: skip
_ACTIVE_KINDS = frozenset(
    {"/FileAttachment", "/RichMedia", "/Movie", "/Screen", "/Sound", "/3D", "/EmbeddedFile"}
)


@dataclass(frozen=True, slots=True)
class Harmless:
    """A file as it is kept: what it is, by its content, and nothing in it but what is seen."""

    form: str
    content: bytes


def harmless(content: bytes) -> Harmless:
    """The file as it may be given; raises ``FileRefused`` with the reason. Its name counts for nothing."""
    if not content:
        raise FileRefused("Please choose a file.")
    if len(content) > MAX_FILE:
        raise FileRefused("This file is too large: at most 5 MB.")
    if content.startswith(_PDF):
        return Harmless("pdf", _document(content))
    return Harmless("png", _picture(content))


def _document(content: bytes) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader = PdfReader(BytesIO(content), strict=False)
            if reader.is_encrypted:
                raise FileRefused("This PDF is locked with a password, so nobody can say what is in it.")
            if not len(reader.pages):
                raise FileRefused("This PDF has no page.")
            for part in _parts(reader):
                _check(part)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise FileRefused("This PDF is broken.") from error
    return content


def _parts(reader: PdfReader) -> Iterator[DictionaryObject]:
    """Every dictionary of a document, however it is packed, each once."""
    ahead: list[object] = [reader.trailer]
    # Also what nothing leads to: a viewer may find it all the same.
    ahead += [
        IndirectObject(number, generation, reader)
        for generation, numbers in reader.xref.items()
        for number in numbers
    ]
    ahead += [IndirectObject(number, 0, reader) for number in reader.xref_objStm]
    seen: set[tuple[int, int]] = set()
    looked = 0
    while ahead:
        looked += 1
        if looked > _MOST_PARTS:
            raise FileRefused("This PDF has so many parts that it cannot be looked through.")
        found = ahead.pop()
        if isinstance(found, IndirectObject):
            if (found.idnum, found.generation) in seen:
                continue
            seen.add((found.idnum, found.generation))
            found = found.get_object()
        if isinstance(found, DictionaryObject):
            yield found
            ahead += [found.raw_get(name) for name in found]
        elif isinstance(found, ArrayObject):
            ahead += list(found)


def _check(part: Mapping[str, object]) -> None:
    names = {
        str(value) for name, value in part.items() if name in ("/S", "/Subtype", "/Type") and _is_name(value)
    }
    if _ACTIVE_KEYS & part.keys() or names & (_ACTIVE_ACTIONS | _ACTIVE_KINDS):
        raise FileRefused(
            "This PDF does something by itself or has files inside: only plain pages may be given."
        )


def _is_name(value: object) -> bool:
    return isinstance(value, NameObject)


def _picture(content: bytes) -> bytes:
    """The picture drawn anew: what stands beside it, such as where it was taken, is gone."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=_PICTURES) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise FileRefused("This picture has too many dots.")
                # Which way up it is stands in what is thrown away.
                upright = ImageOps.exif_transpose(opened)
                drawn = upright.convert("RGBA" if "A" in upright.getbands() else "RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FileRefused("This picture has too many dots.") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise FileRefused(
            "Only PDF, PNG, JPEG, WebP and GIF can be given, and this is none of them."
        ) from error
    for side in _SIDES:
        copy = drawn.copy()
        copy.thumbnail((side, side))
        made = BytesIO()
        # A new picture, so that nothing but the dots comes with it.
        bare = Image.new(copy.mode, copy.size)
        bare.paste(copy)
        bare.save(made, format="PNG", optimize=True)
        if made.tell() <= MAX_PICTURE:
            return made.getvalue()
    raise FileRefused("This picture stays too large however small it is drawn.")
