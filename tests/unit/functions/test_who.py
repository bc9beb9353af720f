"""Who is let in by App Service authentication, by the headers that it sets."""

import base64
import json
import os
import subprocess
import sys

import azure.functions as func
import pytest

from cli.paths import ROOT
from functions.who import OPERATOR, Caller, caller, signed_in, why_not_reader


def a_request(principal, **headers):
    text = principal if isinstance(principal, str) else json.dumps(principal)
    packed = base64.b64encode(text.encode()).decode()
    headers = {"X-MS-CLIENT-PRINCIPAL": packed, **headers}
    return func.HttpRequest("GET", "/api/v1/status", headers=headers, body=b"")


def principal(*roles, name="ann@example.com"):
    claims = [{"typ": "preferred_username", "val": name}, {"typ": "aud", "val": "x"}]
    claims += [{"typ": "roles", "val": role} for role in roles]
    return {
        "auth_typ": "aad",
        "name_typ": "preferred_username",
        "role_typ": "roles",
        "claims": claims,
    }


def test_a_person_with_the_app_role_may_act():
    assert caller(a_request(principal("Reader", OPERATOR))) == Caller(
        name="ann@example.com", may_act=True
    )


def test_a_person_without_it_may_only_look():
    assert caller(a_request(principal("baton.operator"))) == Caller(
        name="ann@example.com", may_act=False
    )


def test_a_role_named_in_another_claim_gives_no_right():
    spoofed = principal()
    spoofed["claims"].append({"typ": "nickname", "val": OPERATOR})

    assert not caller(a_request(spoofed)).may_act


@pytest.mark.parametrize("said", ["", "no json", "[]", "null", '{"claims": 7}', '{"claims": []}'])
def test_a_principal_that_cannot_be_read_is_nobody(said):
    assert caller(a_request(said)) is None


def test_without_the_header_it_is_nobody():
    assert caller(func.HttpRequest("GET", "/", headers={}, body=b"")) is None


ON, OFF = {"WEBSITE_AUTH_ENABLED": "True"}, {"WEBSITE_AUTH_ENABLED": "False"}


def test_whom_app_service_signed_in_may_look():
    asked = a_request(principal())

    assert why_not_reader(asked, by_entra=True, environment=ON) is None
    assert not signed_in(asked, by_entra=True).may_act


def test_nobody_may_look_who_did_not_sign_in():
    nobody = func.HttpRequest("GET", "/", headers={}, body=b"")

    assert why_not_reader(nobody, by_entra=True, environment=ON) == (401, "Sign in first.")
    assert signed_in(nobody, by_entra=True) == Caller(name="", may_act=False)


@pytest.mark.parametrize("environment", [OFF, {}])
def test_while_app_service_authentication_is_off_its_headers_count_for_nothing(environment):
    why = why_not_reader(a_request(principal(OPERATOR)), by_entra=True, environment=environment)

    assert why[0] == 403
    assert "App Service authentication is off" in why[1]


def test_by_key_a_forged_header_gives_no_name():
    forged = a_request(principal(OPERATOR, name="the boss"))

    assert why_not_reader(forged, by_entra=False, environment=OFF) is None
    assert signed_in(forged, by_entra=False).name == ""


def levels(sign_in: str) -> dict[str, str]:
    """What the Functions host asks of whoever calls: HTTP function → level."""
    code = (
        "import function_app\n"
        "for one in function_app.app.get_functions():\n"
        "    if level := getattr(one.get_trigger(), 'auth_level', None):\n"
        "        print(one.get_function_name(), level.value)\n"
    )
    environment = {**os.environ, "BATON_SIGN_IN": sign_in}
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True)
    return dict(line.split() for line in told.stdout.decode().splitlines())


def test_by_key_the_host_asks_one_for_everything_but_the_page_that_holds_no_data():
    keys = dict.fromkeys(("api", "act", "calendar", "hint"), "function")

    assert levels("key") == {**keys, "page": "anonymous"}


def test_by_sign_in_no_key_opens_the_page_and_calendars_still_have_their_own():
    signed_in = dict.fromkeys(("api", "act", "page"), "anonymous")

    assert levels("entra") == {**signed_in, "calendar": "function", "hint": "function"}
