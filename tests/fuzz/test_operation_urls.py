"""Baton's token goes to the configured Resource Manager alone, however an URL looks like it."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.arm_pipeline import ArmClients
from shared.adapters.memory import MemoryClock
from tests.builders import NOW

ARM = "https://management.azure.com"
PIECES = (
    *("https", "http", "HTTPS", "file", "://", ":", "/", "//", "\\", "@", "?", "#", "[::1]", "%2e", "."),
    *("management.azure.com", "MANAGEMENT.AZURE.COM", "evil.example", "user:pass", ":443", ":444", ":99999"),
    *("\t", "\n", " ", "\x00", "\u3002", "\uff0f", "management.azure.com.", "/subscriptions/s/operations/1"),
)  # fmt: skip


class Unused:
    """A credential that nobody asks."""


@pytest.fixture(scope="module")
def clients():
    return ArmClients(ARM, Unused(), MemoryClock(NOW))


@pytest.mark.parametrize(
    "url",
    [
        "https://management.azure.com.evil.example/o",
        "https://management.azure.com@evil.example/o",
        "https://evil.example\\@management.azure.com/o",
        "https://evil.example#@management.azure.com/o",
        "https://user:pass@management.azure.com/o",
        "https://management.azure.com./o",
        "https://management.azure.com:444/o",
        "https://management.azure.com:0443x/o",
        "http://management.azure.com/o",
        "http://management.azure.com:443/o",
        "//management.azure.com/o",
        "https:/management.azure.com/o",
        "https://management\u3002azure.com/o",
        "https://mаnagement.azure.com/o",  # noqa: RUF001 - a Cyrillic letter, on purpose
        "https://management.azure.com%2eevil.example/o",
    ],
)
async def test_a_look_alike_is_not_ours(clients, url):
    assert not clients.owns(url)


@pytest.mark.parametrize(
    "url", [f"{ARM}/o", f"{ARM}:443/o?api-version=1", "HTTPS://Management.Azure.COM/o"]
)
async def test_the_same_host_in_other_letters_or_with_its_port_is_ours(clients, url):
    assert clients.owns(url)


@given(url=st.lists(st.sampled_from(PIECES) | st.text(max_size=2), max_size=7).map("".join))
async def test_whatever_is_ours_leads_to_arm(clients, url):
    if clients.owns(url):
        parts = urlsplit(url)
        assert (parts.scheme, parts.hostname) == ("https", "management.azure.com")
        assert parts.port in (None, 443)
        assert "@" not in parts.netloc
