"""The mail sink as senders meet it: smtplib over the wire, mails and faults over HTTP."""

import json
import smtplib
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from simulator.faults import FaultError, put_faults
from simulator.processes import Child, Watchdog, python


@pytest.fixture(scope="module")
def watchdog() -> Iterator[Watchdog]:
    watchdog = Watchdog()
    yield watchdog
    watchdog.close()


@pytest.fixture(scope="module")
def running(watchdog: Watchdog, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    child = Child(
        python("mail", "simulator.mail"), tmp_path_factory.mktemp("mail") / "mail.log", watchdog
    )
    child.await_ready()
    yield child
    assert child.stop() == 0


@pytest.fixture
def sink(running: Child) -> Child:
    http(running, "DELETE", "/mails")
    faults(running, "")
    return running


def faults(sink: Child, text: str) -> None:
    put_faults(f"http://127.0.0.1:{sink.facts['httpPort']}/faults", text)


def http(sink: Child, method: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{sink.facts['httpPort']}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read().decode()
    return json.loads(text) if answer.headers.get_content_type() == "application/json" else text


def a_mail(message_id: str = "<one@baton>") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"] = "baton@example.com", "oncall@example.com"
    mail["Subject"], mail["Message-ID"] = "db-01 was aborted: Größe", message_id
    mail.set_content("plain: naïve\n")
    mail.add_alternative("<p>rich: naïve</p>", subtype="html")
    return mail


def send(sink: Child, mail: EmailMessage, to: str = "oncall@example.com") -> Any:
    with smtplib.SMTP("127.0.0.1", sink.facts["port"], timeout=60) as smtp:
        return smtp.send_message(mail, to_addrs=to.split(","))


def test_a_mail_is_kept_with_both_its_bodies(sink):
    send(sink, a_mail())

    (kept,) = http(sink, "GET", "/mails")
    assert kept["messageId"] == "<one@baton>"
    assert kept["subject"] == "db-01 was aborted: Größe"
    assert kept["text"].strip() == "plain: naïve"
    assert (kept["envelopeTo"], kept["copies"]) == (["oncall@example.com"], 1)
    assert "rich: naïve" in http(sink, "GET", f"/mails/{kept['number']}/html")


def test_a_mail_that_came_twice_is_counted_twice(sink):
    for message_id in ("<same@baton>", "<other@baton>", "<same@baton>"):
        send(sink, a_mail(message_id))

    assert [mail["copies"] for mail in http(sink, "GET", "/mails")] == [2, 1, 2]


def test_a_refused_recipient_does_not_keep_the_mail_from_others(sink):
    faults(sink, "refuse=1@Bad@example.com")

    refused = send(sink, a_mail(), "bad@example.com,good@example.com")

    assert refused["bad@example.com"][0] == 550
    assert http(sink, "GET", "/mails")[0]["envelopeTo"] == ["good@example.com"]


def test_a_service_that_is_down_says_421(sink):
    faults(sink, "down=1")

    with pytest.raises(smtplib.SMTPConnectError) as refused:
        send(sink, a_mail())

    assert refused.value.smtp_code == 421


def test_an_accepted_mail_may_lose_its_answer(sink):
    faults(sink, "accept-then-drop=1x1")

    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(sink, a_mail())
    send(sink, a_mail("<two@baton>"))

    assert [mail["messageId"] for mail in http(sink, "GET", "/mails")] == [
        "<one@baton>",
        "<two@baton>",
    ]


def test_a_busy_service_takes_nothing_now(sink):
    faults(sink, "busy=1x1@mail baton@*")

    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(sink, a_mail())

    assert refused.value.smtp_code == 451
    assert http(sink, "GET", "/mails") == []


def test_one_that_hangs_keeps_nothing_and_a_slow_one_does(sink):
    faults(sink, "hang=1x1:0.2s,slow=1:0.1s")

    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(sink, a_mail())
    send(sink, a_mail("<two@baton>"))

    assert [mail["messageId"] for mail in http(sink, "GET", "/mails")] == ["<two@baton>"]


def test_a_fault_that_does_not_exist_is_named(sink):
    with pytest.raises(
        FaultError, match="no such kind; use one of accept-then-drop, busy, deny, down"
    ):
        faults(sink, "thunder=1")


def test_mails_survive_a_kill(watchdog: Watchdog, tmp_path: Path):
    program = python("mail", "simulator.mail", "--store", str(tmp_path / "mails"))
    first = Child(program, tmp_path / "mail.log", watchdog)
    first.await_ready()
    send(first, a_mail())
    first.kill()
    second = Child(program, tmp_path / "mail.log", watchdog)
    second.await_ready()
    send(second, a_mail())

    kept = http(second, "GET", "/mails")
    second.stop()

    assert [(mail["number"], mail["copies"]) for mail in kept] == [(1, 2), (2, 2)]
