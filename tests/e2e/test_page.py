"""The page in a real Chromium, and its API as described, on tables as they look in the middle of a maintenance."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from functions.openapi import description
from simulator.laptop import LaptopCloud
from tests.e2e.browser import chromium, serious_faults
from tests.e2e.seeded import seed_now
from tests.e2e.still import SCENARIO

pytestmark = pytest.mark.e2e
PROMISED: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
expect.set_options(timeout=20_000)
VIEWS = ("#/", "#/vms?team=lab", "#/unmatched", "#/patches", "#/policies", "#/alerts")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1200, "height": 900}
NO_PATCHES = {"skip": 0, "total": 0, "items": [], "counts": {}}
STORY = "#/vm/11111111-1111-1111-1111-111111111111/rg-lab/lab-01"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def cloud(tmp_path_factory) -> Iterator[LaptopCloud]:
    folder = tmp_path_factory.mktemp("page")
    scenario = folder / "still.toml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    with LaptopCloud(folder / "cloud", scenario=scenario) as running:
        running.start_host()
        yield running


@pytest.fixture(scope="module")
def seeded(cloud: LaptopCloud) -> LaptopCloud:
    seed_now(cloud.tables, vms=300)
    return cloud


@pytest.fixture
def context(browser) -> Iterator[BrowserContext]:
    """What goes wrong in the browser fails the test."""
    made = browser.new_context(viewport=DESK, timezone_id="Europe/Amsterdam")
    made.set_default_timeout(20_000)
    problems: list[str] = []
    made.on("weberror", lambda error: problems.append(str(error.error)))
    made.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    yield made
    made.close()
    assert [one for one in problems if not one.startswith("Failed to load resource")] == []


def opened(context: BrowserContext, cloud: LaptopCloud, where: str = "#/") -> Page:
    page = context.new_page()
    page.goto(f"{cloud.host_url}/api/page#key={cloud.host.facts['key']}")
    expect(page.locator("h1")).to_have_text("What Baton does")
    if where != "#/":
        page.evaluate("where => { location.hash = where; }", where)
    return page


def names(page: Page) -> list[str]:
    return page.locator("tbody td:first-child").all_inner_texts()


def test_an_empty_page_says_why_it_is_empty(context, cloud):
    page = opened(context, cloud)

    expect(page.locator(".empty")).to_contain_text("No discovery has gone through yet")
    expect(page.get_by_label("To see to")).to_contain_text(
        "look at the log of the function discover"
    )


def test_without_a_key_nothing_is_shown_and_one_can_be_typed_in(context, cloud):
    page = context.new_page()
    page.goto(f"{cloud.host_url}/api/page")
    expect(page.locator("h1")).to_have_text("A key, please")

    page.get_by_label("Key").fill("wrong")
    page.get_by_role("button", name="Open").click()
    expect(page.locator("main")).to_contain_text("does not take this key")
    page.get_by_label("Key").fill(cloud.host.facts["key"])
    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_have_text("What Baton does")


def test_the_key_does_not_stay_in_the_address(context, seeded):
    page = opened(context, seeded)

    assert seeded.host.facts["key"] not in page.url


def test_what_is_away_what_failed_and_what_has_no_start_comes_first(context, seeded):
    page = opened(context, seeded)

    expect(page.get_by_role("heading", level=2)).to_have_text(
        ["Waiting for a go-ahead", "Away now", "Went wrong", "Without a start", "Rollouts"]
    )
    first = ["pay-01", "pay-02", "shop-app-043", "shop-app-044", "lab-01", "erp-sql-0"]
    assert names(page)[:6] == first
    running = page.get_by_role("article", name="lab/tests, rollout 1")
    expect(running).to_contain_text("the rollout is halted: lab-01 ended failed")
    expect(page.get_by_role("article", name="erp/all")).to_contain_text("waits for approval")


def test_300_vms_are_filtered_by_team_state_and_name_and_paged(context, seeded):
    page = opened(context, seeded, "#/vms")
    expect(page.locator(".pager")).to_contain_text("1 to 100 of 300")

    page.get_by_role("link", name="Next").click()
    expect(page.locator(".pager")).to_contain_text("101 to 200 of 300")
    page.get_by_label("Team").select_option("shop")
    page.get_by_label("State").select_option("planned")
    page.get_by_role("searchbox", name="Name").fill("app-05")

    expect(page.locator("tbody tr")).to_have_count(10)
    assert set(names(page)) == {f"shop-app-05{n}" for n in range(10)}
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".pager")).to_contain_text("of 300")


def test_a_filter_that_nothing_fits_says_so(context, seeded):
    page = opened(context, seeded, "#/vms?text=nothing-like-this")

    expect(page.locator(".empty")).to_contain_text("Nothing fits the filter")


def test_patches_are_filtered_by_their_own_states_and_told_in_a_vms_story(context, seeded):
    page = opened(context, seeded, "#/patches")
    expect(page.locator("tbody tr")).to_have_count(6)
    assert names(page)[0] == "lab-01"

    page.get_by_label("State").select_option("due")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("link", name="lab-02").click()

    expect(page.locator("main")).to_contain_text("Azure installs by itself until")
    expect(page.locator("main")).to_contain_text("KB5068966, KB5069000")


def test_without_a_watched_vm_the_patches_say_why(context, seeded):
    page = opened(context, seeded, "#/patches")
    page.route("**/api/v1/patches*", lambda route: route.fulfill(json=NO_PATCHES))
    page.get_by_label("Team").select_option("")
    page.evaluate("refresh()")

    expect(page.locator(".empty")).to_contain_text("No VM is watched for patches")


def test_a_vms_story_has_its_outcome_and_who_was_told(context, seeded):
    page = opened(context, seeded)
    page.get_by_role("link", name="lab-01").first.click()

    expect(page.locator("h1")).to_have_text("lab-01")
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("main")).to_contain_text(
        "There is no capacity for the size of this VM now."
    )
    expect(page.locator("main")).to_contain_text("mailed to team@example.com")


def test_a_wrong_policy_row_is_named_with_its_fix(context, seeded):
    page = opened(context, seeded, "#/policies")

    card = page.get_by_role("article").first
    expect(card).to_contain_text("lab/new")
    expect(card.locator(".problems")).to_contain_text("freeze")


def test_a_vm_that_nobody_knows_is_said_to_be_unknown(context, seeded):
    page = opened(context, seeded, STORY.replace("lab-01", "nobody"))

    expect(page.locator("h1")).to_have_text("Not found")
    expect(page.locator("main")).to_contain_text("Baton knows nothing of such a VM")


def test_where_baton_does_not_answer_the_page_says_as_of_when_it_is(context, seeded):
    page = opened(context, seeded)
    page.route("**/api/v1/**", lambda route: route.abort())

    page.evaluate("refresh()")

    expect(page.locator("#stale")).to_contain_text("Baton does not answer. This is as of")
    expect(page.get_by_role("article").first).to_be_visible()


def test_a_reader_who_unfolds_something_is_not_disturbed_by_an_update(context, seeded):
    page = opened(context, seeded)
    unfolded = page.locator("details").first
    unfolded.locator("summary").click()

    page.evaluate("shown.route && memory.etags.clear(); refresh()")
    page.wait_for_function("document.getElementById('said').textContent.startsWith('Updated')")

    expect(page.locator("details").first).to_have_attribute("open", "")


def test_everything_can_be_reached_with_the_keyboard_alone(context, seeded):
    page = opened(context, seeded, "#/vms")
    expect(page.locator(".pager")).to_contain_text("of 300")

    page.reload()
    expect(page.locator(".pager")).to_contain_text("of 300")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("tbody a").first).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_have_text("pay-01")


def confirm(page: Page, **fields: str) -> None:
    """Fills the dialog in, and sends it."""
    dialog = page.get_by_role("dialog")
    for label, text in {"Your name": "ann", **fields}.items():
        dialog.get_by_label(label).fill(text)
    dialog.locator("button.main").click()


def test_a_rollout_is_approved_with_two_clicks_and_shows_by_whom(context, seeded):
    page = opened(context, seeded)

    page.get_by_role("button", name="Approve rollout 1").click()
    expect(page.get_by_role("dialog")).to_contain_text("20 VMs of erp/all, as you see them now")
    confirm(page)

    expect(page.get_by_role("article", name="erp/all")).to_contain_text("approved by ann")
    expect(page.get_by_role("button", name="Approve rollout 1")).to_have_count(0)


def test_a_policy_is_paused_and_resumed(context, seeded):
    page = opened(context, seeded, "#/rollout/shop/tiers/1")

    page.get_by_role("button", name="Pause shop/tiers").click()
    confirm(page, Why="<b>the shop is on TV</b>")
    expect(page.locator("#pauses")).to_contain_text("paused by ann")
    expect(page.locator("#pauses")).to_contain_text("<b>the shop is on TV</b>")
    page.get_by_role("button", name="Resume shop/tiers").first.click()
    confirm(page)

    expect(page.locator("#notice")).to_contain_text("Policy shop/tiers is resumed")
    expect(page.locator("#pauses")).to_be_hidden()


def test_a_vm_is_skipped_from_its_story(context, seeded):
    page = opened(context, seeded, STORY.replace("lab-01", "lab-09"))

    page.get_by_role("button", name="Skip lab-09").click()
    confirm(page, Why="demo tomorrow")

    expect(page.locator("main")).to_contain_text("skipped by ann: demo tomorrow")


PAY = STORY.replace("rg-lab/lab-01", "rg-shop/pay-01")


def test_a_vm_that_asks_for_a_go_ahead_tells_until_when_and_what_silence_means(context, seeded):
    page = opened(context, seeded)
    asking = page.get_by_role("row", name="pay-01")
    expect(asking).to_contain_text("in 1 hour")
    expect(asking).to_contain_text("it is skipped")

    page.get_by_role("link", name="pay-01").click()

    expect(page.locator("main")).to_contain_text("It asks for a go-ahead until")
    expect(page.locator("main")).to_contain_text("without an answer it is skipped")


def test_an_answer_to_a_question_that_was_asked_anew_is_refused(context, seeded):
    page = opened(context, seeded, PAY)
    expect(page.get_by_role("button", name="Go pay-01")).to_be_visible()
    answered = []
    page.on("response", lambda answer: answered.append((answer.url[-8:], answer.status)))
    page.route("**/go-ahead", lambda route: route.continue_(headers=asked_earlier(route.request)))

    page.get_by_role("button", name="Go pay-01").click()
    confirm(page)

    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("asked anew")
    assert ("go-ahead", 412) in answered


def asked_earlier(request: Request) -> dict[str, str]:
    return {**request.headers, "if-match": "20260101T000000.000000Z"}


def test_a_go_ahead_is_given_on_the_overview_once_however_often_it_is_clicked(context, seeded):
    page = opened(context, seeded)
    sent = []
    page.on("request", lambda it: sent.append(it.url) if it.url.endswith("/go-ahead") else None)

    page.get_by_role("button", name="Go pay-01").click()
    page.get_by_role("dialog").get_by_label("Your name").fill("ann")
    page.get_by_role("dialog").locator("button.main").dblclick()

    expect(page.locator("#notice")).to_contain_text("pay-01 starts as soon as every rule allows it")
    expect(page.get_by_role("button", name="Go pay-01")).to_have_count(0)
    assert len(sent) == 1


def test_a_go_ahead_is_refused_from_the_story_and_the_vm_is_left_out(context, seeded):
    page = opened(context, seeded, PAY.replace("pay-01", "pay-02"))

    page.get_by_role("button", name="Skip pay-02").click()
    confirm(page, Why="not drained")

    expect(page.locator("main")).to_contain_text("go-ahead refused by ann: not drained")
    expect(page.get_by_role("button", name="Retry pay-02")).to_be_visible()


def test_what_a_promise_forbids_is_refused_with_the_reason(context, seeded):
    page = opened(context, seeded, STORY)

    page.get_by_role("button", name="Retry lab-01").click()
    confirm(page)

    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text(
        "lab-01 cannot be tried again"
    )
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_key_that_only_reads_shows_no_buttons(context, seeded):
    page = context.new_page()
    page.route("**/api/v1/who", lambda route: route.fulfill(status=401))
    page.goto(f"{seeded.host_url}/api/page#key={seeded.host.facts['key']}")

    expect(page.get_by_role("article").first).to_be_visible()
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)


@pytest.mark.parametrize(("scheme", "size"), [("light", DESK), ("dark", PHONE)])
def test_axe_finds_nothing_serious_and_nothing_is_cut_off(browser, seeded, scheme, size):
    context = browser.new_context(color_scheme=scheme, viewport=size)
    page = opened(context, seeded)
    faults: dict[str, list[str]] = {}
    for view in (*VIEWS, STORY, "#/rollout/erp/all/1"):
        page.evaluate("where => { location.hash = where; }", view)
        page.wait_for_function("() => shown.route === hashOf(readRoute())")
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found = serious_faults(page) + ([f"{wide} px too wide"] if wide > 0 else [])
        faults |= {view: found} if found else {}
    context.close()

    assert faults == {}


NOTHING_TO_GET_WRONG = ("GET /status", "POST /who")


def described() -> Iterator[tuple[Any, GenerationMode]]:
    """Every operation, asked rightly and wrongly."""
    for found in schemathesis.openapi.from_dict(description()).get_all_operations():
        operation = found.ok()
        yield operation, GenerationMode.POSITIVE
        if operation.label not in NOTHING_TO_GET_WRONG:
            yield operation, GenerationMode.NEGATIVE


@pytest.mark.parametrize(
    ("operation", "mode"), list(described()), ids=lambda it: getattr(it, "label", it)
)
def test_whatever_is_asked_of_the_api_is_answered_as_described(seeded, operation, mode):
    key = {"x-functions-key": seeded.host.facts["key"], "X-Baton": "1", "If-Match": "1"}

    @settings(
        max_examples=15,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=HealthCheck,
    )
    @given(case=operation.as_strategy(generation_mode=mode, headers=key))
    def answers(case):
        answer = case.call(base_url=f"{seeded.host_url}/api/v1", timeout=20)
        case.validate_response(answer, checks=PROMISED)

    answers()
