"""What Baton logs comes out as metrics and spans; one trace takes a VM from its discovery to its outcome."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.adapters.measures import MEASURES
from shared.adapters.otel import Telemeter, attach, spans_of
from shared.domain.trace import trace_of
from tests.builders import a_vm
from tests.simulation.world import AWAY, World

ROOT = Path(__file__).resolve().parents[3]
HOURS = AWAY * 30


class Measured:
    """What was sent."""

    def __init__(self) -> None:
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers, self.meters = TracerProvider(), MeterProvider([self.reader])
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.telemeter = Telemeter(self.tracers, self.meters)

    def spans(self, name):
        return [span for span in self.exporter.get_finished_spans() if span.name == name]

    def points(self):
        """Metric → its points' dimensions and values, since it was last asked."""
        found: dict[str, dict[tuple[tuple[str, Any], ...], Any]] = {}
        data = self.reader.get_metrics_data() or MetricsData([])
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics]
        for metric in (metric for scope in scopes for metric in scope.metrics):
            for point in metric.data.data_points:
                value = getattr(point, "value", getattr(point, "count", None))
                found.setdefault(metric.name, {})[tuple(sorted(point.attributes.items()))] = value
        return found


@pytest.fixture
def measured():
    loggers = [logging.getLogger(name) for name in ("baton", "baton.meter")]
    levels = [logger.level for logger in loggers]
    found = Measured()
    loggers[0].setLevel(logging.INFO)
    attach(found.telemeter)
    yield found
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(found.telemeter)
        logger.setLevel(level)


async def test_one_trace_takes_a_vm_from_its_discovery_to_its_outcome(measured):
    world = World(a_vm("web-1"), policies={"web": {}})
    with spans_of(measured.tracers)("discover"):
        await world.app.discover()

    await world.run(HOURS, outcomes=1)

    (job,) = world.jobs.jobs()
    trace = trace_of(job.id)
    spans = measured.exporter.get_finished_spans()
    mine = {s.name: s for s in spans if f"{s.context.trace_id:032x}" == trace.trace_id}
    (discovery,) = measured.spans("discover")
    assert mine.keys() == {"plan", "start", "away", "job"}
    assert f"{mine['job'].context.span_id:016x}" == trace.span_id
    assert mine["job"].parent is None
    assert {mine[name].parent.span_id for name in ("plan", "start", "away")} == {
        mine["job"].context.span_id
    }
    assert [link.context.span_id for link in mine["plan"].links] == [discovery.context.span_id]
    assert mine["job"].attributes["outcome"] == "completed"
    assert mine["job"].start_time <= mine["start"].start_time <= mine["start"].end_time
    assert mine["away"].end_time == mine["job"].end_time
    assert discovery.attributes["vms"] == 1


async def test_a_rollout_is_counted_as_the_documentation_says(measured):
    world = World(a_vm("web-1"), a_vm("web-2"), policies={"web": {"gap": "1m", "retries": 1}})
    world.azure.scripts = {"web-1": ["RetryLater", "MaintenanceAborted"]}

    await world.run(HOURS, outcomes=1)

    points = measured.points()
    policy = (("policy", "web"), ("team", "shop"))
    outcomes = {
        (by["outcome"], by["terminal"]): count
        for by, count in ((dict(key), n) for key, n in points["baton.outcomes"].items())
    }
    assert points["baton.discoveries"][()] >= 1
    assert points["baton.vms"][(("kind", "seen"),)] == 2
    assert points["baton.jobs"].keys() <= {
        (("state", state),)
        for state in ("planned", "starting", "redeploying", "aborted", "completed")
    }
    assert points["baton.starts.lag"][policy] == 3
    assert outcomes[("retryLater", False)] == 1
    assert outcomes[("aborted", True)] == 1
    assert points["baton.alerts.raised"][(("kind", "aborted"),)] == 1
    assert sum(points["baton.alerts.mailed"].values()) == len(world.mailer.sent)


async def test_a_line_that_cannot_be_measured_disturbs_nothing(measured, capsys):
    logging.getLogger("baton.alerts").info("no kind", extra={"action": "alert_raised"})

    assert "baton.alerts.raised" not in measured.points()
    assert "KeyError: 'kind'" in capsys.readouterr().err


def test_every_action_that_is_measured_is_logged_somewhere():
    sources = [path.read_text() for path in (ROOT / "shared").rglob("*.py")]
    logged = {action for text in sources for action in re.findall(r'"action": "(\w+)"', text)}

    assert {measure.action for measure in MEASURES} <= logged


def test_the_documentation_names_every_metric_with_its_dimensions():
    table = (ROOT / "docs/operate.md").read_text()
    rows = {
        row[1].strip(" `"): set(re.findall(r"`(\w+)`", row[3].partition(":")[0]))
        for row in (line.split("|") for line in table.splitlines())
        if len(row) > 4 and row[1].startswith(" `baton.")
    }
    metrics: dict[str, set[str]] = {}
    for measure in MEASURES:
        metrics.setdefault(measure.metric, set()).update({*measure.by, *measure.fixed})

    assert rows.keys() == metrics.keys()
    assert {name: by for name, by in rows.items() if name != "baton.arm.calls"} == {
        name: by for name, by in metrics.items() if name != "baton.arm.calls"
    }
    assert json.dumps(sorted(metrics["baton.arm.calls"])) == '["method", "status"]'
