"""The app's settings: environment → one frozen value, with every bad or missing setting named at once."""

import base64
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from shared.domain.durations import parse_duration
from shared.domain.errors import InvalidInput, Problem
from shared.domain.mode import Mode
from shared.domain.pace import Pace
from shared.domain.patching.observe import ASSESS_AFTER
from shared.domain.policy_columns import parse_addresses

DISCOVERY_SCHEDULE = "0 */5 * * * *"
SWEEP_SCHEDULE = "30 * * * * *"
# Every two hours, so that each VM is looked at in its off-peak hours, wherever it is.
PATCH_SCHEDULE = "0 20 */2 * * *"
JOBS_QUEUE = "redeploy-jobs"
ALERTS_QUEUE = "alerts"

_T = TypeVar("_T")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, read. Their names and defaults are a contract with every deployment.

    Secrets (connection strings, the mail URL, the token) never show in the repr.
    """

    subscriptions: tuple[str, ...]
    arm_url: str
    arm_token: str = field(repr=False)
    tables: str = field(repr=False)
    tables_endpoint: str
    bus: str = field(repr=False)
    bus_namespace: str
    table_prefix: str
    jobs_queue: str
    alerts_queue: str
    discovery_schedule: str
    sweep_schedule: str
    patch_schedule: str
    assess_after: timedelta
    check_interval: timedelta
    redeploy_timeout: timedelta
    retry_delay: timedelta
    alert_digest: timedelta
    mode: Mode
    sign_in: str
    page_url: str
    email_url: str = field(repr=False)
    email_from: str
    email_to: tuple[str, ...]
    events_url: str = field(repr=False)
    events_secret: str = field(repr=False)
    insights: str = field(repr=False)

    @property
    def pace(self) -> Pace:
        """How often VMs are looked at, and how long they are waited for."""
        return Pace(
            check_interval=self.check_interval,
            redeploy_timeout=self.redeploy_timeout,
            retry_delay=self.retry_delay,
        )


def read_settings(
    environment: Mapping[str, str] = os.environ, *, bus_required: bool = True
) -> Settings:
    """Reads and checks every setting.

    Args:
        environment: The settings.
        bus_required: False for the commands that send nothing.

    Raises:
        InvalidInput: With every problem, each naming its setting, what stood there and the fix.
    """
    reader = _Reader(environment)
    arm_url = reader.get("BATON_ARM_URL", "https://management.azure.com", _url).rstrip("/")
    tables, tables_endpoint = reader.either("BATON_TABLES", "endpoint", _url)
    bus, bus_namespace = reader.either(
        "BATON_BUS", "fullyQualifiedNamespace", _host, required=bus_required
    )
    email_url = reader.get("BATON_EMAIL_URL", "", _email_url)
    settings = Settings(
        subscriptions=reader.get("BATON_SUBSCRIPTIONS", (), _subscriptions),
        arm_url=arm_url,
        arm_token=reader.token(arm_url),
        tables=tables,
        tables_endpoint=tables_endpoint,
        bus=bus,
        bus_namespace=bus_namespace,
        table_prefix=reader.get("BATON_TABLE_PREFIX", "Baton", _prefix),
        jobs_queue=reader.get("BATON_JOBS_QUEUE", JOBS_QUEUE, _queue),
        alerts_queue=reader.get("BATON_ALERTS_QUEUE", ALERTS_QUEUE, _queue),
        discovery_schedule=reader.get("BATON_DISCOVERY_SCHEDULE", DISCOVERY_SCHEDULE, _schedule),
        sweep_schedule=reader.get("BATON_SWEEP_SCHEDULE", SWEEP_SCHEDULE, _schedule),
        patch_schedule=reader.get("BATON_PATCH_SCHEDULE", PATCH_SCHEDULE, _schedule),
        assess_after=reader.get("BATON_PATCH_ASSESS_AFTER", ASSESS_AFTER, _duration),
        check_interval=reader.get("BATON_CHECK_INTERVAL", timedelta(seconds=30), _duration),
        redeploy_timeout=reader.get("BATON_REDEPLOY_TIMEOUT", timedelta(hours=2), _duration),
        retry_delay=reader.get("BATON_RETRY_DELAY", timedelta(minutes=15), _duration),
        alert_digest=reader.get("BATON_ALERT_DIGEST", timedelta(minutes=2), _duration),
        mode=reader.get("BATON_MODE", Mode.DRY_RUN, _mode),
        sign_in=reader.get("BATON_SIGN_IN", "key", _sign_in),
        page_url=reader.get(
            "BATON_PAGE_URL", _own_page(environment.get("WEBSITE_HOSTNAME", "").strip()), _url
        ),
        email_url=email_url,
        email_from=reader.get("BATON_EMAIL_FROM", "", _address),
        email_to=reader.get(
            "BATON_EMAIL_TO", (), lambda text, name: parse_addresses(text, field=name)
        ),
        events_url=reader.get("BATON_EVENTS_URL", "", _events_url),
        events_secret=reader.get("BATON_EVENTS_SECRET", "", _events_secret),
        # Azure's own name; the Functions host and the exporter read it too.
        insights=environment.get("APPLICATIONINSIGHTS_CONNECTION_STRING", "").strip(),
    )
    if email_url and not settings.email_from:
        reader.missing("BATON_EMAIL_FROM", "the sender's address, since BATON_EMAIL_URL is set")
    if email_url and not settings.email_to:
        reader.missing(
            "BATON_EMAIL_TO", "mail addresses separated by commas, since BATON_EMAIL_URL is set"
        )
    if reader.problems:
        raise InvalidInput("settings", tuple(reader.problems))
    return settings


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.problems: list[Problem] = []

    def get(self, name: str, default: _T, read: Callable[[str, str], _T]) -> _T:
        text = self._environment.get(name, "").strip()
        if not text:
            return default
        try:
            return read(text, name)
        except InvalidInput as wrong:
            self.problems += wrong.problems
            return default

    def either(
        self, name: str, suffix: str, read: Callable[[str, str], str], *, required: bool = True
    ) -> tuple[str, str]:
        """A connection string, or the endpoint for an identity; both `""` where neither is required."""
        connection = self._environment.get(name, "").strip()
        endpoint = self.get(f"{name}__{suffix}", "", read)
        given = connection or self._environment.get(f"{name}__{suffix}")
        if required and not given:
            self.missing(
                f"{name}__{suffix}", f"the service's address, or a connection string in {name}"
            )
        if connection and ("=" not in connection or ";" not in connection):
            self.problems.append(Problem(name, "(not shown)", "a connection string, Key=Value;..."))
        return connection, endpoint

    def token(self, arm_url: str) -> str:
        """The static token for an emulator; an https endpoint is only ever shown an identity."""
        if urlsplit(arm_url).scheme != "http":
            return ""
        return self._environment.get("BATON_ARM_TOKEN", "").strip() or "emulator"

    def missing(self, name: str, expected: str) -> None:
        self.problems.append(Problem(name, "", expected))


def _wrong(name: str, text: str, expected: str) -> InvalidInput:
    return InvalidInput(name, (Problem(name, text, expected),))


def _url(text: str, name: str) -> str:
    parts = urlsplit(text)
    plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or plain) or parts.username:
        raise _wrong(name, text, "an https:// address (http:// only on loopback)")
    return text


def _email_url(text: str, name: str) -> str:
    parts = urlsplit(text)
    shown = f"{parts.scheme}://..."
    if parts.scheme not in ("smtp", "smtps", "acs") or not parts.hostname:
        expected = (
            "acs://NAME.communication.azure.com, smtp://host:port or smtps://user:password@host"
        )
        raise _wrong(name, shown, expected)
    if parts.scheme == "acs":
        return _acs_url(parts, name)
    if parts.scheme == "smtp" and parts.password and parts.hostname not in _LOOPBACK:
        raise _wrong(name, shown, "smtps:// where there is a password")
    return text


def _events_url(text: str, name: str) -> str:
    """Never shown: the query of a webhook's address often is its key."""
    try:
        return _url(text, name)
    except InvalidInput as wrong:
        raise _wrong(name, "(not shown)", wrong.problems[0].expected) from None


def _events_secret(text: str, name: str) -> str:
    """As Standard Webhooks has it: `whsec_` and Base64 of 24 to 64 bytes."""
    try:
        length = len(base64.b64decode(text.removeprefix("whsec_"), validate=True))
    except ValueError:
        length = 0
    if not text.startswith("whsec_") or not 24 <= length <= 64:
        expected = (
            "whsec_ and 24 to 64 random bytes in Base64: echo whsec_$(openssl rand -base64 32)"
        )
        raise _wrong(name, "(not shown)", expected)
    return text


def _acs_url(parts: SplitResult, name: str) -> str:
    """Only Communication Services' own hosts, for they are shown a token; loopback is an emulator's."""
    host = parts.hostname or ""
    is_emulator = host in _LOOPBACK
    if not (is_emulator or host.endswith(".communication.azure.com")) or (
        parts.username or parts.path.strip("/") or (parts.port and not is_emulator)
    ):
        shown = f"acs://{host}..."
        raise _wrong(
            name, shown, "acs://NAME.communication.azure.com and no key: the identity is used"
        )
    return parts.geturl()


def _host(text: str, name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]{2,}", text):
        raise _wrong(name, text, "a host name such as mybus.servicebus.windows.net")
    return text


def _subscriptions(text: str, name: str) -> tuple[str, ...]:
    ids = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    for wrong in (part for part in ids if not GUID.fullmatch(part)):
        raise _wrong(
            name, wrong, "subscription ids (GUIDs) separated by commas, or nothing for all"
        )
    return ids


def _prefix(text: str, name: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,39}", text):
        raise _wrong(name, text, "letters and digits, a letter first, at most 40")
    return text


def _queue(text: str, name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._/-]{0,258}[A-Za-z0-9])?", text):
        raise _wrong(name, text, "a Service Bus queue's name")
    return text


def _schedule(text: str, name: str) -> str:
    # The Functions host judges the rest; six fields is what people get wrong.
    if len(text.split()) != 6:
        raise _wrong(name, text, "an NCRONTAB expression of six fields, such as 0 */5 * * * *")
    return text


def _duration(text: str, name: str) -> timedelta:
    duration = parse_duration(text, field=name)
    if duration <= timedelta(0):
        raise _wrong(name, text, "a duration above zero, such as PT30S or 30s")
    return duration


def _mode(text: str, name: str) -> Mode:
    try:
        return Mode(text)
    except ValueError:
        raise _wrong(name, text, "live, dryRun or paused") from None


def _sign_in(text: str, name: str) -> str:
    if text.lower() not in ("key", "entra"):
        raise _wrong(
            name, text, "key (of the Functions host) or entra (App Service authentication)"
        )
    return text.lower()


def _own_page(host: str) -> str:
    """The page's address by the name that Azure gives the app; `""` outside of Azure."""
    if not re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?", host):
        return ""
    scheme = "http" if urlsplit(f"//{host}").hostname in _LOOPBACK else "https"
    return f"{scheme}://{host}/api/page"


def _address(text: str, name: str) -> str:
    addresses = parse_addresses(text, field=name)
    if len(addresses) != 1:
        raise _wrong(name, text, "one mail address")
    return text.strip()
