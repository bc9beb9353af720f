"""Values of tags and names stay values: in mails, in filters of tables, in pages."""

import re
from datetime import timedelta
from email import message_from_bytes, policy
from html.parser import HTMLParser

from azure.data.tables._serialize import _parameter_filter_substitution
from hypothesis import given
from hypothesis import strategies as st

from cli.page import page
from cli.picture import Bar, Lane, Picture
from shared.adapters.letters import write_mail
from shared.adapters.smtp import connect_smtp
from tests.builders import NOW, an_alert
from tests.fuzz.hostile import words

EVIL = (
    "a\r\nBcc: all@example.com",
    "a\r\n\r\n<script>",
    "\n.\nRCPT TO:<x>",
    "</td><script>alert(1)</script>",
    "' onload='x",
    '" onload="x',
    "' or PartitionKey ne '",
    "@name",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "a\u2028b\x85c",
    "\x9b31m",
    "İß",
)
values = st.sampled_from(EVIL) | words | st.text(max_size=80)


class Tags(HTMLParser):
    """The tags of a page, each with the names of its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, tuple(name for name, _ in attrs)))


def mail_with(value):
    alert = an_alert(
        subject=value,
        team=value,
        reason=value,
        next_step=value or "x",
        facts=((value, value),),
    )
    return write_mail((alert,), mail_id="m", recipients=("o@example.com",), mode="live", now=NOW)


@given(values)
def test_no_value_adds_a_tag_a_line_or_a_header_to_a_mail(value):
    plain, mail = mail_with("plain"), mail_with(value)
    message = connect_smtp("smtp://relay", "baton@example.com")._message(mail)
    arrived = message_from_bytes(message.as_bytes(policy=policy.SMTP), policy=policy.default)

    assert Tags(mail.html).found == Tags(plain.html).found
    assert len(mail.text.splitlines()) == len(plain.text.splitlines())
    assert arrived.keys() == [
        *("Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"),
        "Content-Type",
    ]
    assert arrived["To"] == "o@example.com"
    assert not arrived.defects


@given(value=values)
def test_no_value_adds_a_condition_to_a_filter_of_a_table(value):
    condition = "PartitionKey eq @subscription and vmName eq @name"

    sent = _parameter_filter_substitution({"subscription": "s", "name": value}, condition)

    literal = re.fullmatch(r"PartitionKey eq 's' and vmName eq '((?:[^']|'')*)'", sent, re.DOTALL)
    assert literal
    assert literal[1].replace("''", "'") == value


def picture_with(value):
    later = NOW + timedelta(hours=1)
    bar = Bar(
        vm=value,
        vm_id=value,
        stage=1,
        start=NOW,
        end=later,
        state="planned",
        note=value,
        closes=later,
    )
    lane = Lane(name=value, zone="UTC", facts=(value,), windows=None, freezes=(), bars=(bar,))
    return Picture(title=value, now=NOW, lanes=(lane,))


@given(values.filter(str.strip))
def test_no_value_adds_a_tag_or_an_attribute_to_the_plans_page(value):
    assert Tags(page(picture_with(value))).found == Tags(page(picture_with("plain"))).found
