"""How is one paper set in type? Reads it as JSON from standard input, writes the file to standard output.

A process of its own for every document, started by ``bot.documents.typesetting``: Typst keeps what it
once read in caches that it never empties (0.2 MB a document, seen over 2,400 of them), and those would hold
visitors' words for as long as the bot runs. It is started by its path and imports nothing of ours.
"""

from __future__ import annotations

import sys
from pathlib import Path

import typst

HERE = Path(__file__).parent
FONTS = HERE.parent.parent / "fonts"
#: Pixels per inch of a picture: an A4 page across is 1,400 pixels wide, enough for a phone and a postcard.
PPI = 120


def press(paper: str, *, form: str) -> bytes:
    """The file of a paper, a PDF tagged for screen readers; the same paper gives the same bytes."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])
    compiler = typst.Compiler(
        input=HERE / "paper.typ", root=HERE, font_paths=fonts, sys_inputs={"paper": paper}
    )
    if form == "png":
        made = compiler.compile(format="png", ppi=PPI)
    else:
        made = compiler.compile(format="pdf", pdf_standards=["ua-1"])
    # Several pages become several pictures; what is given out as a picture has one, as a test makes sure.
    first = made[0] if isinstance(made, list) else made
    if first is None:
        raise RuntimeError("nothing was set in type")
    return first


if __name__ == "__main__":
    sys.stdout.buffer.write(press(sys.stdin.buffer.read().decode(), form=sys.argv[1]))
