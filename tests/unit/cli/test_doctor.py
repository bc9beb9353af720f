"""`./baton doctor`, where it needs no cloud."""

import base64
import json

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from cli.doctor import command, here
from cli.doctor.azure import looks
from cli.doctor.look import Look, look_at
from shared.adapters.memory import MemoryClock
from shared.adapters.probe_arm import ArmProbe
from shared.domain.errors import Terminal
from shared.domain.health import Finding, State
from shared.domain.maintenance import Subscription
from shared.domain.mode import Mode
from shared.domain.rights import Permission
from tests.builders import NOW, a_vm

SUB = "/subscriptions/1"
OK = Finding(name="x", state=State.OK, says="well")


async def saying(*findings):
    for finding in findings:
        if isinstance(finding, Exception):
            raise finding
        yield finding


def a_look(name, *findings):
    return Look(name=name, findings=saying(*findings), fix=f"mend {name}")


async def test_a_look_that_fails_ends_its_group_and_no_other():
    found = await look_at(
        [
            [a_look("a", OK, Terminal("no")), a_look("b", OK), a_look("c", OK)],
            [a_look("d", OK), a_look("e", ValueError("odd"))],
        ]
    )

    assert [(one.name, one.state, one.says, one.fix) for one in found] == [
        ("x", State.OK, "well", ""),
        ("a", State.BROKEN, "no", "mend a"),
        ("b", State.UNKNOWN, "not looked at, because a is broken", ""),
        ("c", State.UNKNOWN, "not looked at, because a is broken", ""),
        ("x", State.OK, "well", ""),
        ("e", State.BROKEN, "ValueError: odd", "mend e"),
    ]


def test_no_secret_of_a_setting_is_shown_even_if_an_error_has_it():
    environment = {
        "BATON_TABLES": "AccountName=x;AccountKey=SECRET1==;TableEndpoint=https://x",
        "BATON_BUS": "Endpoint=sb://b/;SharedAccessKeyName=Root;SharedAccessKey=SECRET2=",
        "BATON_EMAIL_URL": "smtps://me:SECRET3@relay:465",
        "OTHER": "Key=public",
    }
    said = "SECRET1== and SECRET2= and SECRET3 and public"
    finding = Finding(name="x", state=State.BROKEN, says=said, fix=said)

    shown = command._without_secrets(finding, environment)

    assert shown.says == shown.fix == "*** and *** and *** and public"


def test_settings_that_nothing_reads_are_told_and_those_of_connections_are_not():
    environment = {
        "BATON_MODE": "live",
        "BATON_ARM_TOKEN": "x",
        "BATON_BUS__clientId": "x",
        "BATON_BUS__credential": "managedidentity",
        "BATON_EMAIL__clientId": "x",
        "BATON_TABLE_PREFIXES": "x",
        "BATON_QUITE_ANOTHER": "x",
        "PATH": "x",
    }

    assert here.unknown(environment) == ("BATON_QUITE_ANOTHER", "BATON_TABLE_PREFIXES")
    fixes = [finding.fix for finding in here.strange_settings(environment)]
    assert fixes == ["Remove it", "Rename it to BATON_TABLE_PREFIX"]


def test_this_checkout_has_the_packages_that_it_locks():
    assert [finding.state for finding in here.versions()] == [State.OK, State.OK]


# --- identity and rights ---------------------------------------------------------------------------


class Credential:
    def __init__(self, token):
        self._token = token

    async def get_token(self, *scopes, **options):
        if isinstance(self._token, Exception):
            raise self._token
        return AccessToken(self._token, 0)


def a_token(**claims):
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"header.{body}.signature"


async def caller(token):
    probe = ArmProbe("https://management.azure.com", Credential(token), clock=MemoryClock(NOW))
    try:
        return await probe.caller()
    finally:
        await probe.close()


@pytest.mark.parametrize(
    ("token", "who"),
    [
        (a_token(upn="ann@example.com", oid="1"), "ann@example.com"),
        (a_token(appid="2", oid="1"), "2"),
        (a_token(), "an identity that does not tell its name"),
        ("opaque", "an identity that does not tell its name"),
        ("header.bm90IEpTT04.signature", "an identity that does not tell its name"),
    ],
)
async def test_whoever_asks_is_told_by_name_where_the_token_has_one(token, who):
    assert await caller(token) == who


async def test_an_identity_without_a_token_says_why_in_a_line():
    with pytest.raises(Terminal, match=r"^DefaultAzureCredential failed to retrieve a token$"):
        await caller(
            ClientAuthenticationError(
                "DefaultAzureCredential failed to retrieve a token\nAttempted"
            )
        )


class Azure:
    """What the doctor asks of Resource Manager."""

    def __init__(self, *vms, **permissions):
        self._vms = vms
        self._permissions = permissions

    async def caller(self):
        return "ann"

    async def time(self):
        return NOW

    async def subscriptions(self):
        return [Subscription("1", "Shop")]

    async def permissions(self, scope):
        return self._permissions[scope.rsplit("/", 1)[-1].replace("1", "subscription")]

    async def models(self, subscription_id):
        for vm in self._vms:
            yield vm


async def examined(azure):
    groups = [looks(azure, azure, Mode.LIVE, MemoryClock(NOW))]
    return {one.name: one for one in await look_at(groups)}


EVERYTHING = (Permission(actions=("Microsoft.Compute/*",)),)


async def test_a_role_that_is_assigned_to_the_resource_groups_is_enough():
    vm = a_vm(subscription_id="1", resource_group="Web")

    found = await examined(Azure(vm, subscription=(), web=EVERYTHING))

    assert found[f"rights {SUB}/resourceGroups/web"].state is State.OK
    assert not [one for one in found.values() if one.state is State.BROKEN]


async def test_a_resource_group_that_the_role_was_forgotten_on_is_named():
    vms = [a_vm(subscription_id="1", resource_group=name) for name in ("web", "db")]

    found = await examined(Azure(*vms, subscription=(), web=EVERYTHING, db=()))

    broken = {one.name for one in found.values() if one.state is State.BROKEN}
    assert broken == {f"rights {SUB}/resourceGroups/db"}


async def test_an_identity_that_sees_no_subscription_is_told_to_get_a_role():
    class Nothing(Azure):
        async def subscriptions(self):
            return []

    found = (await examined(Nothing()))["subscriptions"]

    assert (found.state, found.says) == (State.BROKEN, "the identity can read no subscription")
    assert "Assign Baton's role to observe" in found.fix
