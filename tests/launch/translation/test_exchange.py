"""Do texts survive the way to a translator and back, and does a wrong file change nothing at all?"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from bot.launch.cli import app
from bot.launch.errors import LaunchError
from bot.launch.translation.errors import FileUnreadable, TranslationRefused
from bot.launch.translation.exchange import export_texts, import_texts, named
from flows.loader import load
from flows.texts import Sheet
from tests.flows.worlds import REAL, copy_small

COUNTRIES = ("BY", "BD")
TRANSLATED = ("ru", "be", "bn")
XLIFF = "{urn:oasis:names:tc:xliff:document:1.2}"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return copy_small(tmp_path)


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """A copy of everything that visitors read."""
    root = tmp_path / "flows"
    shutil.copytree(REAL, root, ignore=shutil.ignore_patterns("lexicons", "*.py", "__pycache__"))
    return root


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*.yaml"))}


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def translate(file: Path, words: Mapping[str, str], *, column: str = "translation:ru") -> None:
    """Write these translations into an exported table."""
    rows = rows_of(file)
    for row in rows:
        row[column] = words.get(row["text"], row[column])
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        table = csv.DictWriter(out, fieldnames=list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def said(sheet: Sheet) -> tuple[object, ...]:
    texts = {key: (text.text, dict(text.choices)) for key, text in sheet.texts.items()}
    return texts, dict(sheet.choices), dict(sheet.words)


@pytest.mark.parametrize("ending", ["xlf", "csv"])
@pytest.mark.parametrize("locale", TRANSLATED)
def test_all_real_texts_come_back_byte_for_byte(real: Path, tmp_path: Path, locale: str, ending: str) -> None:
    before, file = files(real), tmp_path / f"all.{ending}"

    export_texts(real, file, source="en", target=locale)
    taken = import_texts(real, file, countries=COUNTRIES)

    assert (taken.texts, taken.files, taken.stale, taken.empty) == (0, (), (), 0)
    assert files(real) == before


@pytest.mark.parametrize("locale", TRANSLATED)
def test_a_new_language_is_written_in_full_and_reads_as_it_was_translated(
    real: Path, tmp_path: Path, locale: str
) -> None:
    file = tmp_path / "new.csv"
    export_texts(real, file, source=locale, target="kk")
    rows = rows_of(file)

    translate(file, {row["text"]: row[f"original:{locale}"] for row in rows}, column="translation:kk")
    import_texts(real, file, countries=COUNTRIES)

    book = load(real)
    roles = ("@parent", "@teacher")
    new, old = book.texts.sheets["kk"], book.texts.sheets[locale]
    assert new["directory"].choices["kk"] == "kk"
    assert new.keys() == old.keys()
    assert all(said(new[name]) == said(old[name]) for name in old if name != "directory")
    for platform in book.directory.platforms.values():
        assert all(steps.texts["kk"] == steps.texts[locale] for steps in platform.steps.values())
        assert "" in platform.names or platform.names["kk"] == platform.names[locale]
    forms = {key for key in new["directory"].texts if key.startswith("place_known")}
    assert forms == {f"place_known#{form}{role}" for form in ("one", "other") for role in ("", *roles)}
    written = files(real)
    export_texts(real, file, source=locale, target="kk")
    assert import_texts(real, file, countries=COUNTRIES).files == ()
    assert files(real) == written


def test_texts_that_change_there_and_back_leave_the_other_lines_alone(real: Path, tmp_path: Path) -> None:
    file, before = tmp_path / "all.csv", files(real)
    export_texts(real, file, source="en", target="ru")
    original = {row["text"]: row["translation:ru"] for row in rows_of(file) if row["kind"] != "words"}
    chosen = [text for text in original if text.startswith(("insults:", "common:", "engine:", "sim_"))]

    translate(file, {text: f"{original[text][:30]} я" for text in chosen if "{" not in original[text]})
    import_texts(real, file, countries=COUNTRIES)
    translate(file, original)
    import_texts(real, file, countries=COUNTRIES)

    after = files(real)
    differing = [name for name in before if after[name] != before[name]]
    assert all(name.startswith("texts/ru/") for name in differing)
    # The lines that came back are the old ones, but for buttons that stood on one line.
    kept = {
        name for name in before if after[name].replace(b"\n    ", b"") == before[name].replace(b"\n    ", b"")
    }
    assert {"texts/ru/insults.yaml", "texts/ru/engine.yaml"} <= kept


def test_a_text_a_button_and_a_list_go_into_their_places(small: Path, tmp_path: Path) -> None:
    file, before = tmp_path / "ru.csv", files(small)
    export_texts(small, file, source="en", target="ru")
    translate(
        file,
        {
            "insults:believe": 'Это "больно".\nОчень.',
            "common::yes": "Ага",
            "engine:stop_words": "стоп, хватит",
        },
    )

    taken = import_texts(small, file, countries=COUNTRIES)

    after = files(small)
    assert taken.texts == 3
    assert sorted(name for name in after if after[name] != before[name]) == [
        "texts/ru/common.yaml",
        "texts/ru/engine.yaml",
        "texts/ru/insults.yaml",
    ]
    assert 'believe: "Это \\"больно\\".\\nОчень."\n' in after["texts/ru/insults.yaml"].decode()
    assert "'yes': \"Ага\"\n" in after["texts/ru/common.yaml"].decode()
    assert 'stop_words: ["стоп", "хватит"]\n' in after["texts/ru/engine.yaml"].decode()


def test_what_to_press_on_a_platform_goes_into_the_directory(small: Path, tmp_path: Path) -> None:
    file, platforms = tmp_path / "ru.csv", small / "directory" / "platforms.yaml"
    export_texts(small, file, source="en", target="ru")
    before = platforms.read_text(encoding="utf-8")

    words = {"directory/platforms:viber.block": "Новое «нажатие».", "directory/platforms:vk.name": "ВК"}
    translate(file, words)
    import_texts(small, file, countries=COUNTRIES)

    after = platforms.read_text(encoding="utf-8").splitlines()
    changed = [new for old, new in zip(before.splitlines(), after, strict=True) if old != new]
    assert [line.strip() for line in changed] == [
        'ru: "Новое «нажатие»."',
        'name: {en: VK, ru: "ВК", be: УКантакце, bn: VK}',
    ]


def test_a_text_that_was_missing_is_added_and_what_changed_is_no_longer_reviewed(
    small: Path, tmp_path: Path
) -> None:
    sheet, file = small / "texts" / "ru" / "block.yaml", tmp_path / "ru.csv"
    export_texts(small, file, source="en", target="ru")
    lines = sheet.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("which:")]
    sheet.write_text("".join(kept).replace("not yet", "Anna, 2026-10-01"), encoding="utf-8")

    import_texts(small, file, countries=COUNTRIES)

    written = sheet.read_text(encoding="utf-8")
    assert sorted(written.splitlines(keepends=True)) == sorted(lines)
    assert written.startswith("reviewed: not yet\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"insults:calm": "Без номера."}, "'insults:calm' lost {helpline_short}"),
        ({"common::yes": "Д" * 41}, "'common::yes' is 41 letters long"),
        ({"insults:believe": "Хорошо.", "danger:care": "{emergency}"}, "'danger:care' lost {helpline}"),
        ({"engine:no_words": "нет, ага"}, "'ага' stands in 'yes_words' and in 'no_words'."),
    ],
)
def test_one_wrong_text_keeps_all_of_the_file_out(
    small: Path, tmp_path: Path, words: dict[str, str], sentence: str
) -> None:
    file, before = tmp_path / "ru.csv", files(small)
    export_texts(small, file, source="en", target="ru")
    translate(file, words)

    with pytest.raises(TranslationRefused) as refused:
        import_texts(small, file, countries=COUNTRIES)

    assert sentence in str(refused.value)
    assert str(refused.value).endswith("Nothing was changed.")
    assert files(small) == before


def test_half_a_language_does_not_go_in(small: Path, tmp_path: Path) -> None:
    file, before = tmp_path / "kk.csv", files(small)
    export_texts(small, file, source="en", target="kk")
    translate(file, {"insults:believe": "Бұл ауыр."}, column="translation:kk")

    with pytest.raises(TranslationRefused, match="missing in this language"):
        import_texts(small, file, countries=COUNTRIES)

    assert files(small) == before


def test_an_xliff_file_marks_placeholders_and_gives_place_and_limit(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "ru.xlf"
    export_texts(small, file, source="en", target="ru")

    root = ET.fromstring(file.read_text(encoding="utf-8"))  # noqa: S314 - it is our own file.

    found = {unit.get("id"): unit for unit in root.iter(f"{XLIFF}trans-unit")}
    care, block = found["danger:care"], found["common::block"]
    marks = [mark.text for mark in care.findall(f"{XLIFF}source/{XLIFF}ph")]
    known = {(part.get("context-type"), part.text) for part in care.iter(f"{XLIFF}context")}
    assert marks == ["{helpline}", "{emergency}"]
    assert {
        ("x-flow", "danger"),
        ("x-kind", "message"),
        ("sourcefile", "flows/texts/en/danger.yaml"),
    } <= known
    assert (block.get("maxwidth"), block.get("size-unit")) == ("40", "char")


def test_an_unfinished_translation_in_xliff_waits(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "ru.xlf"
    export_texts(small, file, source="en", target="ru")
    written = file.read_text(encoding="utf-8")
    file.write_text(
        written.replace('<target state="translated">', '<target state="needs-translation">'), encoding="utf-8"
    )

    taken = import_texts(small, file, countries=COUNTRIES)

    assert taken.files == ()
    assert taken.empty == written.count("<target")


def test_a_placeholder_that_a_tool_wrote_in_its_own_way_is_understood(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "ru.xlf"
    export_texts(small, file, source="en", target="ru")
    written = file.read_text(encoding="utf-8")
    mark = '<ph id="1" ctype="x-placeholder">{helpline}</ph>'
    assert mark in written
    file.write_text(written.replace(mark, '<x id="1" equiv-text="{helpline}"/>'), encoding="utf-8")

    assert import_texts(small, file, countries=COUNTRIES).files == ()


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        ("x.xlf", "no xml", "This is no XML file"),
        ("x.xlf", "<xliff version='2.0'/>", "This is no XLIFF 1.2 file"),
        ("x.xlf", "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>", "defines a document type"),
        ("x.csv", "a,b\n1,2\n", "The first line must name the columns"),
        ("x.csv", "text,original:en,translation:RU\n", "'RU' is not a language's code"),
        ("x.csv", "text,original:fr,translation:ru\n", "There are no texts in 'fr', only in: en, ru."),
        ("x.csv", 'text,original:en,translation:ru\na,"' + "b" * 200_000, "This table cannot be read"),
        ("x.csv", "text,original:en,translation:en\n", "cannot be translated into itself"),
        ("x.txt", "", "must end in .xlf (for translation tools) or .csv"),
        ("gone.csv", None, "There is no file"),
    ],
)
def test_a_file_that_is_none_is_told_in_a_sentence(
    small: Path, tmp_path: Path, name: str, words: str | None, sentence: str
) -> None:
    file = tmp_path / name
    if words is not None:
        file.write_text(words, encoding="utf-8")

    with pytest.raises(FileUnreadable) as refused:
        import_texts(small, file, countries=COUNTRIES)

    assert sentence in str(refused.value)


def test_a_table_of_another_spreadsheet_is_read(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "ru.csv"
    export_texts(small, file, source="en", target="ru")
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines))
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, delimiter=";", lineterminator="\r\n").writerows(rows)

    assert import_texts(small, file, countries=COUNTRIES).files == ()


def test_a_table_in_old_letters_is_told_in_a_sentence(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "ru.csv"
    file.write_bytes("text,original:en,translation:ru\na,b,да\n".encode("cp1251"))

    with pytest.raises(FileUnreadable, match="is not saved as UTF-8"):
        import_texts(small, file, countries=COUNTRIES)


def test_content_with_problems_is_repaired_first(small: Path, tmp_path: Path) -> None:
    (small / "texts" / "ru" / "block.yaml").write_text("which: [", encoding="utf-8")

    with pytest.raises(LaunchError, match="must be repaired first"):
        export_texts(small, tmp_path / "ru.csv", source="en", target="ru")


def test_many_names_are_told_in_short() -> None:
    assert named(["a", "b"]) == "a, b"
    assert named(map(str, range(10))) == "0, 1, 2, 3, 4, 5, 6, 7 and 2 more"


def test_the_commands_tell_what_they_did(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORCHLIGHT_CONTENT_DIR", str(small))
    file, run = tmp_path / "ru.csv", CliRunner()

    exported = run.invoke(app, ["texts", "export", str(file), "--to", "ru"])
    translate(file, {"insults:believe": "Это очень больно.", "insults:calm": ""})
    imported = run.invoke(app, ["texts", "import", str(file)])
    again = run.invoke(app, ["texts", "import", str(file)])

    assert "texts; without words in 'ru': 0." in exported.stderr
    assert "New texts: 1, in insults.yaml; nobody has reviewed these files yet." in imported.stderr
    assert "Without a translation in the file, and left as they are: 1." in imported.stderr
    assert "There is nothing new in it." in again.stderr
