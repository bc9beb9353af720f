from datetime import timedelta

from shared.adapters.letters import write_mail
from tests.builders import NOW, an_alert


def mail(*alerts, mode="live"):
    return write_mail(alerts, mail_id="m", recipients=("ops@example.com",), mode=mode, now=NOW)


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
