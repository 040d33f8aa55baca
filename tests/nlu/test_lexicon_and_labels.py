"""Do the crisis lexicon and the labels of the training phrases agree on what is dangerous?

Where the lexicon hears a danger that the label does not mean, one of the two is wrong, or the phrase is one
of the few that no rule can tell apart. Those stand in ``lexicon_disagrees.yaml``, which can only shrink.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from flows.events import DangerLevel
from nlu.fingerprint import DATA
from nlu.phrases import read_folder
from tests.flows.test_safety_sentences import lexicon
from tests.flows.worlds import real_book

KNOWN = Path(__file__).parent / "lexicon_disagrees.yaml"

#: These speak of somebody's danger in their own way, and the lexicon may well hear it.
ABOUT_DANGER = frozenset({"parent_child_bullied", "teacher_incident", "bystander"})


def disagreements() -> dict[str, list[str]]:
    """By locale and label, the phrases in which the lexicon hears what the label does not mean."""
    intents = real_book().intents
    found: dict[str, list[str]] = {}
    for phrase in read_folder(DATA)[0]:
        if intents[phrase.intent].rank >= DangerLevel.URGENT.rank or phrase.intent in ABOUT_DANGER:
            continue
        if lexicon().first_match(phrase.text, locale=phrase.locale.partition("-")[0]):
            found.setdefault(f"{phrase.locale}/{phrase.intent}", []).append(phrase.text)
    return {place: sorted(texts) for place, texts in sorted(found.items())}


def test_the_lexicon_and_the_labels_disagree_only_where_it_is_known() -> None:
    # A new one: mend the lexicon or the label. One less: remove its line.
    assert disagreements() == yaml.safe_load(KNOWN.read_text("utf-8"))
