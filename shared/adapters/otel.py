"""Baton's log lines as metrics and spans of OpenTelemetry, sent to Application Insights.

A handler on Baton's loggers sees each line's `action` and fields, and counts. So nothing else of Baton knows
of OpenTelemetry, and what is measured is what is logged. docs/operate.md has the names; people's alert rules
and workbooks rely on them.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import Tracer, TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, TraceFlags

from shared.adapters.measures import MEASURES, Measure
from shared.domain.trace import Trace, trace_of

Fields = Mapping[str, Any]
_JOB = ("job", "vm", "team", "policy", "stage", "attempt")
_SECOND = 10**9  # spans count nanoseconds
# What is said, and what is only measured: no line is written of the latter.
_LOGGERS = ("baton", "baton.meter")


class Telemeter(logging.Handler):
    """Feeds metrics and spans from log lines. Whatever goes wrong in it stays in it."""

    def __init__(self, tracers: TracerProvider, meters: MeterProvider) -> None:
        """Makes the instruments."""
        super().__init__()
        self._feeds = _feeds(meters)
        self._ids = _Ids()
        # A tracer of its own, since it gives a job's root the id that was computed for it.
        tracer = tracers.get_tracer("baton.jobs")
        if isinstance(tracer, Tracer):
            tracer.id_generator = self._ids
        self._tracer = tracer
        self._spans: Mapping[str, Callable[[Fields], None]] = {
            "job_planned": self._planned,
            "redeploy_accepted": self._accepted,
            "outcome_recorded": self._ended,
            "discovered": _on_discovery,
        }

    def emit(self, record: logging.LogRecord) -> None:
        """Measures a line, if its action is one that is measured."""
        action = getattr(record, "action", "")
        try:
            for feed in self._feeds.get(action, ()):
                feed(vars(record))
            if span := self._spans.get(action):
                span(vars(record))
        except Exception:  # noqa: BLE001 - what is measured must never disturb what is done
            self.handleError(record)

    def _planned(self, line: Fields) -> None:
        now = datetime.fromtimestamp(line["created"]).astimezone()
        # The discovery is one thing, and each of its jobs another: linked, not nested.
        discovery = trace.get_current_span().get_span_context()
        links = [Link(discovery)] if discovery.is_valid else []
        self._span("plan", line, now, now, links, plannedStart=str(line["plannedStart"] or ""))

    def _accepted(self, line: Fields) -> None:
        correlation = str(line["correlationId"])
        self._span("start", line, line["claimedAt"], line["acceptedAt"], correlationId=correlation)

    def _ended(self, line: Fields) -> None:
        ended = line["endedAt"]
        if line["startedAt"]:
            self._span("away", line, line["startedAt"], ended, outcome=line["outcome"])
        if line["terminal"]:
            self._ids.root = trace_of(line["job"])
            try:
                self._span("job", line, line["discoveredAt"], ended, outcome=line["outcome"])
            finally:
                self._ids.root = None

    def _span(
        self,
        name: str,
        line: Fields,
        begin: datetime,
        end: datetime,
        links: list[Link] | None = None,
        **more: str,
    ) -> None:
        """A span in the job's trace, over by now."""
        span = self._tracer.start_span(
            name,
            Context() if self._ids.root else _under(trace_of(line["job"])),
            attributes={name: line[name] for name in _JOB} | more,
            links=links,
            start_time=_nanoseconds(begin),
        )
        span.end(_nanoseconds(end))


class _Ids(RandomIdGenerator):
    """Random ids, but a job's own for its root. Handlers work one line at a time, under their lock."""

    root: Trace | None = None

    def generate_trace_id(self) -> int:
        return int(self.root.trace_id, 16) if self.root else super().generate_trace_id()

    def generate_span_id(self) -> int:
        return int(self.root.span_id, 16) if self.root else super().generate_span_id()


def send_to_azure() -> Callable[[str], AbstractContextManager[None]]:
    """Has Microsoft's distribution send what Baton measures, as APPLICATIONINSIGHTS_... settings say.

    The distribution is configured here rather than by the Functions worker (its setting
    PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY), which would import it before it is known whether the process
    does anything, send every log line a second time, and instrument libraries that Baton does not use.
    With `Authorization=AAD;ClientId=...` in APPLICATIONINSIGHTS_AUTHENTICATION_STRING it uses the identity.

    Returns:
        `span`, for the triggers: everything within is in a span of that name.
    """
    # It reports on itself to Microsoft, and asks there for settings, every few minutes: nobody needs that.
    os.environ.setdefault("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
    os.environ.setdefault("APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED", "true")
    from azure.monitor.opentelemetry import configure_azure_monitor  # noqa: PLC0415 - see above
    from opentelemetry import metrics  # noqa: PLC0415 - beside it

    configure_azure_monitor(
        disable_logging=True,  # the Functions host sends the log lines
        enable_live_metrics=False,
        enable_performance_counters=False,
        sampling_ratio=1.0,  # a few spans a job; none is to be missing
        instrumentation_options={name: {"enabled": False} for name in _INSTRUMENTATIONS},
    )
    tracers, meters = trace.get_tracer_provider(), metrics.get_meter_provider()
    if not isinstance(tracers, TracerProvider) or not isinstance(meters, MeterProvider):
        raise TypeError("somebody else configured OpenTelemetry first")
    attach(Telemeter(tracers, meters))
    return spans_of(tracers)


# Every library that the distribution would instrument by itself.
_INSTRUMENTATIONS = (
    "azure_sdk",
    "django",
    "fastapi",
    "flask",
    "httpx",
    "httpx2",
    "psycopg2",
    "requests",
    "urllib",
    "urllib3",
)


def attach(telemeter: Telemeter) -> None:
    """Lets it see what Baton logs from now on."""
    for name in _LOGGERS:
        logging.getLogger(name).addHandler(telemeter)


def spans_of(tracers: TracerProvider) -> Callable[[str], AbstractContextManager[None]]:
    """`span`, for the triggers, of that provider."""
    tracer = tracers.get_tracer("baton")

    @contextmanager
    def span(name: str) -> Iterator[None]:
        with tracer.start_as_current_span(name):
            yield

    return span


def _on_discovery(line: Fields) -> None:
    trace.get_current_span().set_attributes({"vms": line["vms"], "changed": line["changed"]})


def _feeds(meters: MeterProvider) -> Mapping[str, list[Callable[[Fields], None]]]:
    """Action → what its lines feed."""
    meter = meters.get_meter("baton")
    puts: dict[str, Callable[..., None]] = {}
    feeds: dict[str, list[Callable[[Fields], None]]] = {}
    for measure in MEASURES:
        if measure.metric not in puts:
            match measure.kind:
                case "counter":
                    puts[measure.metric] = meter.create_counter(measure.metric, measure.unit).add
                case "gauge":
                    puts[measure.metric] = meter.create_gauge(measure.metric, measure.unit).set
                case "histogram":
                    histogram = meter.create_histogram(measure.metric, measure.unit)
                    puts[measure.metric] = histogram.record
        feeds.setdefault(measure.action, []).append(_feed(measure, puts[measure.metric]))
    return feeds


def _feed(measure: Measure, put: Callable[..., None]) -> Callable[[Fields], None]:
    def feed(line: Fields) -> None:
        amount = line[measure.value] if measure.value else 1
        by = {name: line[name] for name in measure.by}
        put(len(amount) if isinstance(amount, list) else amount, {**measure.fixed, **by})

    return feed


def _under(parent: Trace) -> Context:
    ids = int(parent.trace_id, 16), int(parent.span_id, 16)
    context = SpanContext(*ids, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return trace.set_span_in_context(NonRecordingSpan(context), Context())


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * _SECOND)
