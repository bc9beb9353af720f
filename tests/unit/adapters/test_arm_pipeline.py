"""Which audience a token is for."""

import pytest

from shared.adapters.arm_pipeline import scope_of


@pytest.mark.parametrize(
    ("url", "scope"),
    [
        ("https://management.azure.com", "https://management.azure.com/.default"),
        ("https://management.azure.com/", "https://management.azure.com/.default"),
        ("https://management.chinacloudapi.cn", "https://management.chinacloudapi.cn/.default"),
        (
            "https://management.usgovcloudapi.net",
            "https://management.core.usgovcloudapi.net/.default",
        ),
        ("https://arm.example:8443", "https://arm.example:8443/.default"),
    ],
)
def test_the_scope_follows_the_cloud(url, scope):
    assert scope_of(url) == scope
