"""`./baton hotpatch`: the calendar's picture, and what onboarding tells."""

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from cli.hotpatch import calendar
from cli.hotpatch.onboard import changes, done
from shared.domain.patching.calendar import releases
from shared.domain.patching.eligibility import SKUS
from shared.domain.patching.record import PatchState
from shared.use_cases.onboard import FEATURES, Onboarding

DOCS = Path(__file__).parents[3] / "docs"


def onboarding(*states, provider=""):
    return Onboarding(features=dict(zip(FEATURES, states, strict=True)), provider=provider)


def test_the_picture_of_the_page_is_the_one_that_the_command_draws():
    assert (DOCS / "hotpatch-calendar.svg").read_text() == calendar.picture(2026, releases(2026))


def test_a_picture_has_every_month_with_its_day_and_whether_it_reboots():
    root = ET.fromstring(calendar.picture(2027, releases(2027)))  # noqa: S314 - our own
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]

    assert {"January", "Tue 12", "December", "Tue 14"} <= set(texts)
    assert texts.count("baseline: reboots") == 4
    assert texts.count("hotpatch: no reboot") == 8


def test_the_calendar_marks_the_newest_release(capsys):
    calendar.run(None, datetime(2026, 11, 25, tzinfo=UTC), svg=None, as_json=False)

    [marked] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("▶")]
    assert marked.split()[1:4] == ["November", "Tue", "10"]


def test_progress_is_a_line_for_each_state_that_changed():
    before = onboarding("Registering", "Registering", "")
    after = onboarding("Registered", "Registering", "")

    assert list(changes(None, before)) == [
        "InGuestHotPatchVMPreview: Registering",
        "InGuestAutoPatchVMPreview: Registering",
        "InGuestPatchVMPreview: not known to Azure (any more), and so not needed",
    ]
    assert list(changes(before, after)) == ["InGuestHotPatchVMPreview: Registered"]
    assert list(changes(after, after)) == list(changes(None, None)) == []


def test_a_feature_that_microsoft_must_approve_is_said_so():
    told = list(changes(None, onboarding("Pending", "Registered", "Registered")))

    assert told[0] == "InGuestHotPatchVMPreview: Pending: Microsoft has to approve it"


def test_it_is_done_when_the_provider_has_what_azure_knows_of():
    assert not onboarding("Registered", "", "Registering").is_done
    assert not onboarding("Registered", "", "Registered").is_done
    assert not onboarding("Registered", "", "Registered", provider="Registering").is_done
    ready = onboarding("Registered", "", "Registered", provider="Registered")
    assert ready.is_done
    assert "is ready for Hotpatch" in done("s", ready)


def test_where_azure_knows_none_nothing_is_needed():
    gone = onboarding("", "", "")

    assert gone.is_done
    assert "needs no onboarding" in done("s", gone)


def test_the_page_has_every_state_and_every_sku():
    page = (DOCS / "hotpatch.md").read_text()

    assert [state for state in PatchState if f"| `{state}` |" not in page] == []
    for sku in SKUS:
        year, _, rest = sku.partition("-datacenter-azure-edition")
        assert f"`{rest}`" in page or f"`{year}-datacenter-azure-edition{rest}`" in page
