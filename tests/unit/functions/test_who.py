"""Who is let in by App Service authentication, by the headers that it sets."""

import base64
import json

import azure.functions as func
import pytest

from functions.who import OPERATOR, Caller, caller


def signed_in(principal, **headers):
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
    assert caller(signed_in(principal("Reader", OPERATOR))) == Caller(
        name="ann@example.com", may_act=True
    )


def test_a_person_without_it_may_only_look():
    assert caller(signed_in(principal("baton.operator"))) == Caller(
        name="ann@example.com", may_act=False
    )


def test_a_role_named_in_another_claim_gives_no_right():
    spoofed = principal()
    spoofed["claims"].append({"typ": "nickname", "val": OPERATOR})

    assert not caller(signed_in(spoofed)).may_act


@pytest.mark.parametrize("said", ["", "no json", "[]", "null", '{"claims": 7}', '{"claims": []}'])
def test_a_principal_that_cannot_be_read_is_nobody(said):
    assert caller(signed_in(said)) is None


def test_without_the_header_it_is_nobody():
    assert caller(func.HttpRequest("GET", "/", headers={}, body=b"")) is None
