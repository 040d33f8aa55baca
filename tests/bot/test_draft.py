"""Does a tried-out conversation see a deployment's own directory, and each change of it?"""

from __future__ import annotations

from pathlib import Path

from bot.tryout.draft import Drafts
from flows.loader import load
from flows.safety import load_lexicons
from tests.flows.worlds import REAL

OWN = """
countries:
  BD:
    emergency: [{number: '999', for: all}]
    lines: [{name: Our line, phones: ['16123'], ages: children, confidence: official, sources: [called]}]
"""


async def test_what_is_saved_in_a_deployments_own_directory_is_seen_at_once(tmp_path: Path) -> None:
    own = tmp_path / "helplines.yaml"
    own.write_text(OWN, encoding="utf-8")
    drafts = Drafts(
        REAL,
        own_directory=tmp_path,
        book=load(REAL, own_directory=tmp_path),
        lexicon=load_lexicons(REAL / "lexicons"),
        countries=("BD",),
    )

    own.write_text(OWN.replace("16123", "333"), encoding="utf-8")
    changed = await drafts.now()
    own.write_text(OWN.replace("official", "certain"), encoding="utf-8")
    broken = await drafts.now()

    assert changed.book.directory.lines("BD")[0].phones == ("333",)
    assert changed.problems == ()
    assert not changed.live
    assert broken.book == changed.book
    assert [problem.split(":")[0] for problem in broken.problems] == [f"{own}, line 5"]
