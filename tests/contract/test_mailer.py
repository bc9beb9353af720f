"""Every Mailer keeps the port's contract: in memory, SMTP, and Communication Services, both to the sink."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from shared.adapters.acs import connect_acs, operation_id
from shared.adapters.credentials import Identity
from shared.adapters.memory import MemoryClock, MemoryMailer
from shared.adapters.smtp import connect_smtp
from shared.domain.alert import Mail
from shared.domain.errors import Retryable, Terminal
from tests.builders import NOW
from tests.mail_sink import running_sink

BAD = "bad@example.com"
SENDER = "baton@example.com"


def a_mail(*recipients, subject="Baton: web-1 failed", text="web-1 failed\n"):
    return Mail(
        id="0123456789abcdef",
        recipients=recipients or ("ops@example.com",),
        subject=subject,
        text=text,
        html="<p>web-1 &lt;failed&gt;</p>",
        at=NOW,
    )


@pytest.fixture(scope="module")
def running():
    with running_sink() as sink:
        yield sink


@pytest.fixture
def sink(running):
    running.faults("")
    running.clear()
    return running


@pytest.fixture
def clock():
    return MemoryClock(NOW)


@pytest.fixture
def smtp(sink):
    return connect_smtp(sink.smtp_url, SENDER)


@pytest.fixture
async def acs(sink, clock):
    mailer = connect_acs(sink.acs_url, SENDER, Identity(), clock=clock)
    yield mailer
    await mailer.close()


@pytest.fixture(params=["smtp", "acs"])
def remote(request):
    """A mailer whose service is the sink."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["memory", "smtp", "acs"])
def mailer(request):
    """A mailer whose service refuses one address."""
    if request.param == "memory":
        return MemoryMailer({BAD: "550 no such user"})
    found = request.getfixturevalue(request.param)
    request.getfixturevalue("sink").faults(f"refuse=1@{BAD}")
    return found


async def delivered(mailer, mail):
    """Sends it, and looks after it until the service knows what became of it."""
    delivery = await mailer.send(mail, again=False)
    while delivery.look_after:
        delivery = await mailer.send(mail, again=True)
    return delivery


async def test_sends_to_everybody_and_refuses_nobody(mailer):
    assert list((await delivered(mailer, a_mail("a@example.com", "b@example.com"))).refused) == []


async def test_a_bad_address_does_not_stop_the_good_ones_and_is_told(mailer):
    refused = (await delivered(mailer, a_mail("a@example.com", BAD))).refused

    assert len(refused) == 1
    assert BAD in refused[0]


async def test_where_every_recipient_is_refused_it_never_will_be_sent(mailer):
    with pytest.raises(Terminal, match=BAD):
        await delivered(mailer, a_mail(BAD))


async def test_a_service_that_works_passes_its_check(mailer):
    await mailer.check()


async def test_the_mail_arrives_with_both_bodies(remote, sink):
    await delivered(remote, a_mail())

    (arrived,) = sink.mails()
    assert arrived["text"].strip() == "web-1 failed"
    assert "&lt;failed&gt;" in arrived["html"]


async def test_calendars_arrive_as_files(remote, sink):
    mail = replace(a_mail(), calendars=(("shop.ics", "BEGIN:VCALENDAR\r\n"), ("bänk.ics", "x")))
    await delivered(remote, mail)

    (arrived,) = sink.mails()
    assert arrived["files"] == ["shop.ics", "bänk.ics"]
    assert arrived["text"].strip() == "web-1 failed"


async def test_a_repeat_that_nobody_is_asked_about_has_the_same_message_id(remote, sink):
    await remote.send(a_mail(), again=False)
    await remote.send(a_mail(), again=False)

    assert [mail["copies"] for mail in sink.mails()] == [2, 2]


async def test_line_breaks_in_a_subject_make_no_header(remote, sink):
    await delivered(remote, a_mail(subject="Baton: web\r\nBcc: victim@example.com"))

    assert sink.mails()[0]["subject"] == "Baton: web Bcc: victim@example.com"


@pytest.mark.parametrize("fault", ["down=1", "busy=1"])
async def test_a_service_that_is_away_or_busy_is_tried_again(remote, sink, fault):
    sink.faults(fault)

    with pytest.raises(Retryable):
        await remote.send(a_mail(), again=False)
    assert sink.mails() == []


async def test_a_service_that_is_down_fails_its_check(remote, sink):
    sink.faults("down=1")

    with pytest.raises(Retryable):
        await remote.check()


async def test_nobody_there_is_retryable(clock):
    mailer = connect_acs("acs://127.0.0.1:1", SENDER, Identity(), clock=clock)

    with pytest.raises(Retryable, match=r"127\.0\.0\.1:1"):
        await mailer.send(a_mail(), again=False)
    await mailer.close()


async def test_nobody_there_is_retryable_and_shows_no_password():
    mailer = connect_smtp("smtps://me:SECRET@127.0.0.1:1", SENDER)

    with pytest.raises(Retryable) as caught:
        await mailer.send(a_mail(), again=False)
    assert "SECRET" not in str(caught.value) + repr(mailer)


# --- what only Communication Services can ----------------------------------------------------------------


async def test_a_mail_whose_answer_was_lost_is_asked_for_and_not_sent_again(acs, sink):
    sink.faults("accept-then-drop=1x1")
    with pytest.raises(Retryable):
        await acs.send(a_mail(), again=False)

    assert (await acs.send(a_mail(), again=True)).look_after is None
    assert len(sink.mails()) == 1


async def test_a_mail_that_was_never_taken_is_sent_by_the_next_try(acs, sink):
    sink.faults("busy=1x1")
    with pytest.raises(Retryable):
        await acs.send(a_mail(), again=False)
    assert sink.mails() == []

    await acs.send(a_mail(), again=True)
    assert len(sink.mails()) == 1


async def test_the_copies_for_each_of_a_mail_with_a_bad_address_are_sent_once_too(acs, sink):
    sink.faults(f"refuse=1@{BAD},accept-then-drop=1x1")
    mail = a_mail("a@example.com", BAD, "b@example.com")

    with pytest.raises(Retryable):
        await acs.send(mail, again=False)
    for _ in range(3):
        delivery = await acs.send(mail, again=True)

    assert sorted(one["envelopeTo"] for one in sink.mails()) == [
        ["a@example.com"],
        ["b@example.com"],
    ]
    assert (len(delivery.refused), delivery.look_after) == (1, None)


async def test_whoever_has_a_good_address_shares_a_mail_and_two_bad_ones_cost_few_more(acs, sink):
    good = [f"a{number:02}@example.com" for number in range(14)]
    everybody = [*good[:7], BAD, *good[7:], "bad2@example.com"]
    sink.faults("refuse=1@bad*@example.com")

    delivery = await delivered(acs, a_mail(*everybody))

    assert sorted(to for mail in sink.mails() for to in mail["envelopeTo"]) == good
    assert len(sink.mails()) <= 8
    assert [one.split(":")[0] for one in delivery.refused] == [BAD, "bad2@example.com"]


async def test_more_recipients_than_one_mail_may_have_share_two(acs, sink):
    everybody = [f"a{number:03}@example.com" for number in range(100)]

    assert list((await delivered(acs, a_mail(*everybody))).refused) == []
    assert sorted(to for mail in sink.mails() for to in mail["envelopeTo"]) == everybody
    assert len(sink.mails()) == 2


async def test_a_throttled_service_is_left_alone_by_every_mail_until_its_time(acs, sink, clock):
    sink.faults("throttle=1x1:30s")
    with pytest.raises(Retryable) as first:
        await acs.send(a_mail(), again=False)
    clock.set(NOW + timedelta(seconds=10))
    with pytest.raises(Retryable) as second:
        await acs.send(a_mail("other@example.com"), again=False)
    assert (first.value.retry_after, second.value.retry_after) == (
        timedelta(seconds=30),
        timedelta(seconds=20),
    )

    clock.set(NOW + timedelta(seconds=31))
    await acs.send(a_mail("other@example.com"), again=False)
    assert len(sink.mails()) == 1


async def test_a_clock_that_was_set_back_makes_no_pause_longer(acs, sink, clock):
    sink.faults("throttle=1x1:30s")
    with pytest.raises(Retryable):
        await acs.send(a_mail(), again=False)

    clock.set(NOW - timedelta(days=1))
    await acs.send(a_mail(), again=True)


async def test_a_mail_that_is_dropped_after_it_was_taken_is_told(acs, sink):
    sink.faults(f"fail=1@{SENDER}")
    mail = a_mail("a@example.com", "b@example.com")

    assert (await acs.send(mail, again=False)).look_after
    with pytest.raises(Terminal, match="EmailDroppedAllRecipientsSuppressed"):
        await acs.send(mail, again=True)
    assert len(sink.mails()) == 1


async def test_a_mail_is_looked_after_as_long_as_the_service_does_not_know(acs, sink):
    sink.faults(f"late=1:1h@{operation_id(a_mail().id, a_mail().recipients)}")

    for again in (False, True, True):
        assert (await acs.send(a_mail(), again=again)).look_after == timedelta(seconds=1)


async def test_an_identity_without_the_role_is_told_which_and_the_mail_waits(acs, sink):
    sink.faults("deny=1")

    with pytest.raises(Retryable, match="needs the role 'Communication and Email Service Owner'"):
        await acs.send(a_mail(), again=False)
    with pytest.raises(Retryable, match="Communication and Email Service Owner"):
        await acs.check()


async def test_only_loopback_is_spoken_to_without_tls(clock):
    mailer = connect_acs("acs://nobody.communication.azure.com", SENDER, Identity(), clock=clock)

    assert urlsplit(mailer._open()._config.endpoint).scheme == "https"
    await mailer.close()
