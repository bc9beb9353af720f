"""The page's files: what is served, how long it is kept, and what a browser lets it do."""

import re

import azure.functions as func
import pytest

from functions.page import page
from tests.unit.functions.site import said


async def get(file="", **headers):
    request = func.HttpRequest(
        "GET", "/api/page", headers=headers, route_params={"file": file}, body=b""
    )
    return said(await page(request))


def named_in(shell):
    return re.findall(r'(?:href|src)="page/([^"]+)"', shell.body.decode())


async def test_the_shell_names_its_files_by_what_is_in_them_and_they_are_kept_for_ever():
    shell = await get()
    files = [await get(name) for name in named_in(shell)]

    assert [file.status for file in files] == [200, 200]
    assert [file.headers["content-type"] for file in files] == ["text/css", "text/javascript"]
    assert all("immutable" in file.headers["cache-control"] for file in files)
    assert shell.headers["cache-control"] == "no-cache"


async def test_a_browser_may_load_nothing_from_elsewhere_and_run_nothing_inline():
    shell = await get()

    policy = shell.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(rb"<script>|<style>| style=| on\w+=", shell.body)


async def test_no_file_names_another_site():
    shell = await get()
    files = [shell, *[await get(name) for name in named_in(shell)]]

    assert not any(re.search(rb"https?://|//[a-z]+\.", file.body) for file in files)


async def test_a_name_is_never_set_as_markup():
    shell = await get()
    script = (await get(named_in(shell)[1])).body

    assert not re.search(rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)


@pytest.mark.parametrize("name", ["style.css", "shell.html", "../host.json", "app-000000000000.js"])
async def test_a_file_that_is_not_of_the_page_is_404(name):
    assert (await get(name)).status == 404


async def test_a_shell_that_has_not_changed_is_not_sent_again():
    shell = await get()

    assert (await get(**{"If-None-Match": shell.headers["etag"]})).status == 304
