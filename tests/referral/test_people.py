"""Who is on, who can be sent out, and which passwords are too easily guessed."""

from __future__ import annotations

import pytest

from referral.errors import PasswordTooWeak
from referral.operators.rules import COMMON, MIN_PASSWORD, Role, check_password
from tests.referral.desk import PASSWORD, Service


@pytest.mark.parametrize("password", ["Password1234", "qwertyuiop123", "йцукенгшщзхъ", "PORCHLIGHT123"])
def test_a_password_that_everybody_guesses_is_refused(password: str) -> None:
    with pytest.raises(PasswordTooWeak, match="every list of guesses"):
        check_password(password, name="nina")


def test_length_alone_makes_a_password_good() -> None:
    check_password("seven quiet herons", name="nina")
    check_password("ночью горит фонарь", name="nina")


def test_the_list_holds_what_length_would_let_through() -> None:
    assert all(len(password) >= MIN_PASSWORD and password == password.lower() for password in COMMON)


async def test_a_supervisor_sees_who_is_on_and_signs_somebody_out_everywhere(service: Service) -> None:
    async with (
        service.as_operator("nina") as nina,
        service.as_operator("vera", role=Role.SUPERVISOR) as vera,
        service.browser() as elsewhere,
    ):
        await elsewhere.post("/sign-in", data={"name": "nina", "password": PASSWORD})
        await elsewhere.get("/")
        page = await vera.see("/operators")
        number = page.split('action="/operators/')[1].split("/sign-out")[0]
        ended = await vera.send(f"/operators/{number}/sign-out")
        after = [(await client.get("/session")).headers.get("location") for client in (nina.http, elsewhere)]
        again = await elsewhere.post("/sign-in", data={"name": "nina", "password": PASSWORD})
        unknown = await vera.send("/operators/00000000-0000-4000-8000-000000000000/sign-out")

    assert page.count("Has a page open now") == 2
    assert ended.status_code == 303
    assert after == ["/sign-in", "/sign-in"]
    assert again.status_code == 303
    assert unknown.status_code == 404
