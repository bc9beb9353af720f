"""A rollout that runs while somebody watches and steers it on the page."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import chromium

pytestmark = pytest.mark.e2e
PATIENCE = 60_000
VM = """
[[vm]]
name = "{name}"
resource_group = "rg-shop"
subscription = "11111111-1111-4111-8111-111111111111"
location = "westeurope"
maintenance = {{ pre_start = "-1m", pre_end = "+20m", start = "+30m", end = "+60m" }}
redeploy_seconds = 1
{script}
"""
SCENARIO = """
title = "Five VMs: one that Azure aborts, one that waits for approval, one that asks for a go-ahead"
[settings]
BATON_MODE = "live"
BATON_CHECK_INTERVAL = "1s"
BATON_DISCOVERY_SCHEDULE = "*/2 * * * * *"
BATON_SWEEP_SCHEDULE = "*/2 * * * * *"
[arm]
throttle_scale = 10
offer_after_abort = true
[[subscription]]
id = "11111111-1111-4111-8111-111111111111"
name = "Webshop"
[[policy]]
PartitionKey = "shop"
RowKey = "web"
match = "name:web-*"
sequence = "name:web-01; name:web-02; name:web-03"
gap = "1s"
estimate = "2s"
[[policy]]
PartitionKey = "erp"
RowKey = "all"
match = "name:erp-*"
approval = "required"
estimate = "2s"
[[policy]]
PartitionKey = "pay"
RowKey = "all"
match = "name:pay-*"
goAhead = "15m"
goAheadDefault = "skip"
estimate = "2s"
[expect]
completed = 5
""" + "".join(
    VM.format(name=name, script=script)
    for name, script in {
        "web-01": "",
        "web-02": 'script = ["MaintenanceAborted", "MaintenanceCompleted"]',
        "web-03": "",
        "erp-01": "",
        "pay-01": "",
    }.items()
)


def confirm(page: Page) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Your name").fill("ann")
    dialog.locator("button.main").click()
    expect(dialog).to_have_count(0)


def test_somebody_stops_it_lets_it_go_approves_answers_and_has_the_failed_one_tried_again(
    laptop, tmp_path
):
    scenario = tmp_path / "watched.toml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    cloud = laptop(scenario)
    cloud.start_host()
    with chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page.goto(f"{cloud.host_url}/api/page#key={cloud.host.facts['key']}")
        shop = page.get_by_role("article", name="shop/web")

        page.get_by_role("button", name="Pause everything").click()
        confirm(page)
        expect(page.get_by_label("Paused")).to_contain_text("everything is paused by ann")
        expect(shop).to_contain_text("everything is paused by ann")
        page.get_by_role("button", name="Resume everything").click()
        confirm(page)
        page.get_by_role("button", name="Approve rollout 1").click()
        confirm(page)
        page.get_by_role("button", name="Go pay-01").click()
        confirm(page)

        expect(shop).to_contain_text("the rollout is halted: web-02 ended aborted")
        page.get_by_role("link", name="web-02").first.click()
        page.get_by_role("button", name="Retry web-02").click()
        confirm(page)
        expect(page.locator("main")).to_contain_text("completed")
        page.get_by_role("link", name="Baton").click()
        expect(page.locator(".tiles .completed")).to_contain_text("5")

    ended = sorted((row["vmName"], row["outcome"]) for row in cloud.outcomes())
    assert ended == [
        ("erp-01", "completed"),
        ("pay-01", "completed"),
        ("web-01", "completed"),
        ("web-02", "aborted"),
        ("web-02", "completed"),
        ("web-03", "completed"),
    ]
