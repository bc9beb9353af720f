"""Every Mailer keeps the port's contract: in memory, and SMTP to the sink."""

import json
import subprocess
import sys

import pytest

from cli.paths import ROOT
from cli.watch import get_json
from shared.adapters.memory import MemoryMailer
from shared.adapters.smtp import connect_mailer
from shared.domain.alert import Mail
from shared.domain.errors import Retryable, Terminal
from simulator.faults import put_faults
from tests.builders import NOW

BAD = "bad@example.com"


def a_mail(*recipients, subject="Baton: web-1 failed", text="web-1 failed\n"):
    return Mail(
        id="0123456789abcdef",
        recipients=recipients or ("ops@example.com",),
        subject=subject,
        text=text,
        html="<p>web-1 &lt;failed&gt;</p>",
        at=NOW,
    )


class Sink:
    def __init__(self, facts):
        self.mailer = connect_mailer(f"smtp://127.0.0.1:{facts['port']}", "baton@example.com")
        self._http = f"http://127.0.0.1:{facts['httpPort']}"

    def faults(self, text):
        put_faults(f"{self._http}/faults", text)

    def mails(self):
        return get_json(f"{self._http}/mails")


@pytest.fixture
def sink():
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator.mail", "--port", "0", "--http-port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield Sink(json.loads(process.stdout.readline().removeprefix("ready ")))
    process.terminate()
    process.wait(60)
    process.stdout.close()


@pytest.fixture(params=["memory", "smtp"])
def mailer(request):
    """A mailer whose service refuses one address."""
    if request.param == "memory":
        return MemoryMailer({BAD: "550 no such user"})
    found = request.getfixturevalue("sink")
    found.faults(f"refuse=1@{BAD}")
    return found.mailer


async def test_sends_to_everybody_and_refuses_nobody(mailer):
    assert list(await mailer.send(a_mail("a@example.com", "b@example.com"))) == []


async def test_a_bad_address_does_not_stop_the_good_ones_and_is_told(mailer):
    refused = await mailer.send(a_mail("a@example.com", BAD))

    assert len(refused) == 1
    assert BAD in refused[0]


async def test_where_every_recipient_is_refused_it_never_will_be_sent(mailer):
    with pytest.raises(Terminal, match=BAD):
        await mailer.send(a_mail(BAD))


async def test_the_mail_arrives_with_both_bodies_and_the_same_message_id_at_every_try(sink):
    await sink.mailer.send(a_mail())
    await sink.mailer.send(a_mail())

    arrived = sink.mails()
    assert {mail["messageId"].strip("<>") for mail in arrived} == {"0123456789abcdef@example.com"}
    assert arrived[0]["text"].strip() == "web-1 failed"
    assert "&lt;failed&gt;" in arrived[0]["html"]


async def test_line_breaks_in_a_subject_make_no_header(sink):
    await sink.mailer.send(a_mail(subject="Baton: web\r\nBcc: victim@example.com"))

    assert sink.mails()[0]["subject"] == "Baton: web Bcc: victim@example.com"


async def test_a_service_that_is_down_is_tried_again(sink):
    sink.faults("down=1")

    with pytest.raises(Retryable):
        await sink.mailer.send(a_mail())


async def test_nobody_there_is_retryable_and_shows_no_password():
    mailer = connect_mailer("smtps://me:SECRET@127.0.0.1:1", "baton@example.com")

    with pytest.raises(Retryable) as caught:
        await mailer.send(a_mail())
    assert "SECRET" not in str(caught.value) + repr(mailer)
