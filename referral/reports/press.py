"""How is a report set in type? Reads it as JSON from standard input, writes a PDF to standard output.

A process of its own for every report, started by ``referral.reports.printing``: Typst keeps what it once read
for as long as the process lives. It is started by its path and imports nothing of ours.
"""

from __future__ import annotations

import sys
from pathlib import Path

import typst

HERE = Path(__file__).parent
FONTS = HERE.parent.parent / "fonts"


def press(report: str) -> bytes:
    """A PDF that screen readers can read; the same report gives the same bytes."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])
    compiler = typst.Compiler(
        input=HERE / "report.typ", root=HERE, font_paths=fonts, sys_inputs={"report": report}
    )
    made = compiler.compile(format="pdf", pdf_standards=["ua-1"])
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made


if __name__ == "__main__":
    sys.stdout.buffer.write(press(sys.stdin.buffer.read().decode()))
