"""The calendar over HTTP: found, unchanged, unknown, and when the tables are busy."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import azure.functions as func

from functions.calendar_feed import feed
from shared.domain.errors import Problem, Retryable, Unknown


def ask(answer: Any, **headers: str) -> Any:
    async def calendar(team: str) -> str:
        assert team == "shop"
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    request = func.HttpRequest(
        "GET", "/api/calendar/shop.ics", route_params={"team": "shop"}, headers=headers, body=b""
    )
    services: Any = SimpleNamespace(calendar=calendar)
    return feed(request, lambda: services)


async def test_a_calendar_is_found_and_not_sent_again_while_it_is_unchanged():
    first = await ask("BEGIN:VCALENDAR\r\n")
    again = await ask("BEGIN:VCALENDAR\r\n", **{"If-None-Match": first.headers["ETag"]})
    changed = await ask("BEGIN:VCALENDAR\r\nX\r\n", **{"If-None-Match": first.headers["ETag"]})

    assert (first.status_code, first.mimetype) == (200, "text/calendar")
    assert first.get_body() == b"BEGIN:VCALENDAR\r\n"
    assert (again.status_code, again.get_body()) == (304, b"")
    assert changed.status_code == 200


async def test_the_address_with_its_key_is_told_to_no_other_site():
    assert (await ask("BEGIN:VCALENDAR\r\n")).headers["Referrer-Policy"] == "no-referrer"


async def test_an_unknown_team_is_404_and_says_which_there_are():
    unknown = await ask(Unknown("calendar", (Problem("TEAM", "shop", "a team: bank"),)))

    assert unknown.status_code == 404
    assert "a team: bank" in unknown.get_body().decode()


async def test_busy_tables_are_503_and_say_when_to_ask_again():
    wait = timedelta(minutes=1)
    busy = await ask(Retryable("secret details", retry_after=wait))

    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "60")
    assert "secret" not in busy.get_body().decode()
