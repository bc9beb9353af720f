from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.letter_picture import draw
from shared.adapters.letters import write_mail
from shared.domain.alert import Span
from tests.builders import NOW, SUBSCRIPTION, a_vm_id, an_alert, an_instance

HOUR = timedelta(hours=1)
PAGE = "https://baton.example.com/api/page"


def mail(*alerts, mode="live", page=""):
    to = ("ops@example.com",)
    return write_mail(alerts, mail_id="m", recipients=to, mode=mode, now=NOW, page=page)


def test_the_subject_says_what_how_many_and_whose():
    assert mail(an_alert()).subject == "Baton: web-1 failed (shop)"
    several = mail(
        an_alert("a"), an_alert("b", kind="missed", team="erp"), an_alert("c", kind="missed")
    )
    assert several.subject == "Baton: 3 VMs need attention: 1 failed, 2 missed (erp, shop)"
    mixed = mail(an_alert("a"), an_alert("b", kind="policy"))
    assert mixed.subject == "Baton: 2 events need attention: 1 failed, 1 wrong policy (shop)"


def test_the_subject_says_until_when_somebody_can_act_unless_that_is_over():
    soon, late = NOW + timedelta(hours=1), NOW + timedelta(days=2)

    both = mail(an_alert("a", deadline=late), an_alert("b", kind="noFit", deadline=soon))
    assert both.subject.endswith("1 failed, 1 without a start (shop), by 2026-03-02 13:00 UTC")
    assert mail(an_alert(deadline=NOW)).subject == "Baton: web-1 failed (shop)"


def test_news_asks_for_no_attention():
    news = mail(an_alert("a", kind="planned"), an_alert("b", kind="done"))

    assert news.subject == "Baton: 1 planned, 1 done (shop)"
    assert 'class="news"' in news.html


def test_the_worst_comes_first_and_the_facts_keep_their_order():
    facts = (("VM", "web-1"), ("lastOperationResultCode", "MaintenanceAborted"))
    text = mail(
        an_alert("a", kind="missed", subject="late"), an_alert("b", subject="broken", facts=facts)
    ).text

    assert text.index("broken: failed") < text.index("late: missed")
    assert text.index("VM:") < text.index("lastOperationResultCode:")


def test_both_bodies_say_what_happened_and_what_comes_next():
    written = mail(an_alert(reason="Azure aborted it", next_step="Look at the VM."))

    for body in (written.text, written.html):
        assert "Azure aborted it" in body
        assert "Look at the VM." in body
        assert f"{NOW:%Y-%m-%d %H:%M} UTC" in body


def test_nothing_in_a_name_becomes_markup_or_a_line_of_its_own():
    hostile = an_alert(
        subject="<b>x</b>\nweb-2: failed", facts=(("VM", "<script>alert(1)</script>"),)
    )
    written = mail(hostile)

    assert "<script>" not in written.html
    assert "<b>x" not in written.html
    assert "\nweb-2: failed" not in written.text
    assert "\n" not in written.subject


def test_the_reader_is_told_whether_baton_acts():
    assert "It is live" in mail(an_alert()).text
    assert "dry run" in mail(an_alert(), mode="dryRun").text
    assert "paused" in mail(an_alert(raised_at=NOW - timedelta(hours=1)), mode="paused").html


def test_every_time_is_told_by_the_policys_clocks_and_in_utc():
    late = "closes at 2026-03-08 23:30 UTC"
    told = an_alert(
        zone="Europe/Amsterdam",
        reason="ended at 2026-03-02 08:00 UTC",
        facts=(("Window", late),),
        next_step="Azure acts from 2026-07-01 10:00 UTC on",
    )

    for body in (mail(told).text, mail(told).html):
        assert "ended at Mon 2026-03-02 09:00 CET (08:00 UTC)" in body
        assert "closes at Mon 2026-03-09 00:30 CET (2026-03-08 23:30 UTC)" in body
        assert "from Wed 2026-07-01 12:00 CEST (10:00 UTC) on" in body
        assert "Raised Mon 2026-03-02 13:00 CET (12:00 UTC)" in body
        assert "Times are those of the policy (Europe/Amsterdam) and UTC." in body


@pytest.mark.parametrize("zone", ["", "UTC", "Nowhere/Atall", "../../etc/passwd", "Europe"])
def test_without_a_zone_that_is_known_times_stay_in_utc(zone):
    told = mail(an_alert(zone=zone, reason="ended at 2026-03-02 08:00 UTC")).text

    assert "ended at 2026-03-02 08:00 UTC" in told


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2026-02-30 08:00 UTC", "Asia/Tokyo"),
        ("9999-12-31 23:59 UTC", "Asia/Tokyo"),
        ("0001-01-01 00:00 UTC", "America/New_York"),
    ],
)
def test_what_no_clock_shows_is_left_as_it_is(text, zone):
    assert f"at {text}." in mail(an_alert(zone=zone, reason=f"at {text}.")).text


@pytest.mark.parametrize(
    ("about", "where"),
    [
        ({"vm_id": a_vm_id("web 1")}, f"#/vm/{SUBSCRIPTION}/shop/web%201"),
        ({"team": "a&b", "policy": "c d"}, "#/rollouts?team=a%26b&policy=c+d"),
        ({"kind": "policy", "team": "shop", "policy": "web"}, "#/policies?team=shop&policy=web"),
        ({"team": "", "policy": "", "vm_id": "/no/id"}, ""),
    ],
)
def test_a_mail_links_to_what_the_page_has_of_it(about, where):
    written = mail(an_alert(**about), page=PAGE)

    assert f"On the page: {PAGE}{where}\n" in written.text
    assert f'href="{PAGE}{where.replace("&", "&amp;")}"' in written.html


def test_a_vm_of_a_scale_set_is_linked_by_both_names():
    written = mail(an_alert(vm_id=an_instance(3).id), page=PAGE)

    assert written.text.count("/web-vmss~3\n") == 1


def test_where_the_page_has_no_address_a_mail_has_no_link():
    written = mail(an_alert())

    assert "On the page" not in written.text
    assert "href" not in written.html


def test_an_announcement_is_drawn_as_bars_with_the_deadline_if_that_is_near():
    spans = (Span("web-1", NOW, NOW + HOUR), Span("<web-2>", NOW + HOUR, NOW + 2 * HOUR))
    planned = an_alert(kind="planned", spans=spans, deadline=NOW + 3 * HOUR)

    html = mail(planned).html
    far = mail(replace(planned, deadline=NOW + timedelta(days=9))).html

    assert html.count('bgcolor="#1f6f43"') == 2
    assert html.count('bgcolor="#b3261e"') == 2
    assert "&lt;web-2&gt;" in html
    assert "Red: the first window closes." in html
    assert 'bgcolor="#b3261e"' not in far
    assert 'bgcolor="#1f6f43"' not in mail(an_alert()).html


instants = st.integers(0, 10_000).map(lambda minutes: NOW + timedelta(minutes=minutes))


@given(
    st.lists(st.tuples(instants, instants).map(sorted), min_size=1, max_size=5),
    st.none() | instants,
)
def test_a_rows_cells_always_fill_it_and_show_its_bar(pairs, deadline):
    picture = draw([Span("x", *pair) for pair in pairs], deadline)

    assert picture is not None
    for _, cells in picture.rows:
        assert sum(cell.percent for cell in cells) == 100
        assert all(cell.percent > 0 for cell in cells)
        assert sum(cell.kind == "away" for cell in cells) == 1
