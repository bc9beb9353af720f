"""Who asks over HTTP, and whether they may.

By default the Functions host lets in who has a key, and knows no name. With BATON_SIGN_IN=entra, App Service
authentication stands in front: it signs people in, and tells of them in headers that it alone can set.
Source: learn.microsoft.com/azure/app-service/configure-authentication-user-identities.
"""

import base64
import binascii
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import azure.functions as func

from functions.bindings import BY_ENTRA

# An app role of the registration that App Service signs people in with.
OPERATOR: Final = "Baton.Operator"
_PRINCIPAL: Final = "X-MS-CLIENT-PRINCIPAL"
_NAME_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who signed in.

    Attributes:
        may_act: Has the app role that acting takes.
    """

    name: str
    may_act: bool


def why_not_reader(
    request: func.HttpRequest,
    *,
    by_entra: bool = BY_ENTRA,
    environment: Mapping[str, str] = os.environ,
) -> tuple[int, str] | None:
    """The refusal for somebody who may not even look; None for whoever may."""
    if not by_entra:
        return None
    if environment.get("WEBSITE_AUTH_ENABLED", "").lower() != "true":
        # Without it anybody could send the headers by which people are known here.
        detail = "BATON_SIGN_IN is entra, and App Service authentication is off: switch it on, or unset BATON_SIGN_IN."
        return 403, detail
    return None if caller(request) else (401, "Sign in first.")


def signed_in(request: func.HttpRequest, *, by_entra: bool = BY_ENTRA) -> Caller:
    """Who asks: whoever signed in; or somebody without a name, whose key the host took.

    Only for a request that `why_not_reader` lets pass.
    """
    return (by_entra and caller(request)) or Caller(name="", may_act=not by_entra)


def caller(request: func.HttpRequest) -> Caller | None:
    """Who signed in; None where nobody did."""
    try:
        principal = json.loads(base64.b64decode(request.headers.get(_PRINCIPAL, ""), validate=True))
        claims = list(_claims(principal))
    except (binascii.Error, ValueError, TypeError, KeyError, AttributeError):
        return None
    names = [value for kind, value in claims if kind in _kinds(principal, "name_typ")]
    name = request.headers.get("X-MS-CLIENT-PRINCIPAL-NAME") or next(iter(names), "")
    if not name:
        return None
    roles = {value for kind, value in claims if kind in (*_kinds(principal, "role_typ"), "roles")}
    return Caller(name=name[:_NAME_MAX], may_act=OPERATOR in roles)


def _claims(principal: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for claim in principal["claims"]:
        yield str(claim["typ"]), str(claim["val"])


def _kinds(principal: Mapping[str, Any], key: str) -> tuple[str, ...]:
    kind = principal.get(key)
    return (str(kind),) if kind else ()
