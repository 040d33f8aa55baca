"""Pseudonyms, sealed values and tokens keep their promises."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.privacy import Privacy, SealBroken, SecretTooWeak
from tests.bot.conftest import SECRET

OTHER = base64.b64encode(b"another secret of thirty-two byte").decode()


def test_a_visitor_keeps_one_pseudonym_and_shares_it_with_nobody() -> None:
    privacy = Privacy(SECRET)

    assert privacy.conversation("telegram", "42") == privacy.conversation("telegram", "42")
    others = {
        privacy.conversation(channel, address) for channel in ("viber", "web") for address in ("42", "43")
    }
    assert privacy.conversation("telegram", "42") not in others
    assert Privacy(OTHER).conversation("telegram", "42") != privacy.conversation("telegram", "42")


def test_parts_of_a_name_cannot_be_shifted_into_each_other() -> None:
    privacy = Privacy(SECRET)

    assert privacy.update_key("web", "1 2") != privacy.update_key("web1", " 2")
    assert privacy.conversation("a", "bc") != privacy.conversation("ab", "c")


@given(st.text())
def test_what_was_sealed_is_read_back_in_its_place_alone(words: str) -> None:
    privacy = Privacy(SECRET)
    sealed = privacy.seal(words, context="inbox.payload:1")

    assert privacy.unseal(sealed, context="inbox.payload:1") == words
    with pytest.raises(SealBroken):
        privacy.unseal(sealed, context="inbox.payload:2")
    with pytest.raises(SealBroken):
        privacy.unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), context="inbox.payload:1")
    with pytest.raises(SealBroken):
        Privacy(OTHER).unseal(sealed, context="inbox.payload:1")


def test_a_token_tells_its_claim_and_cannot_be_changed() -> None:
    privacy = Privacy(SECRET)
    token = privacy.token("abc:ru:BY")
    body, signature = token.split(".")
    forged = base64.urlsafe_b64encode(b"abd:ru:BY").decode().rstrip("=")

    assert privacy.claim(token) == "abc:ru:BY"
    assert privacy.claim(f"{forged}.{signature}") is None
    assert Privacy(OTHER).claim(token) is None
    assert privacy.claim(body) is None


@given(st.text())
def test_no_text_is_a_token_by_chance(text: str) -> None:
    assert Privacy(SECRET).claim(text) is None


@pytest.mark.parametrize("secret", ["", "short", "not base64 !", base64.b64encode(b"x" * 31).decode()])
def test_a_weak_secret_is_refused(secret: str) -> None:
    with pytest.raises(SecretTooWeak):
        Privacy(secret)
