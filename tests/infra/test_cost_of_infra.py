"""What `./baton cost` assumes of infra is what infra deploys."""

import json
import re
from collections import Counter
from typing import Any

from cli.paths import ROOT
from tests.infra.bicep import read

INFRA = ROOT / "infra"
ASSUMED: dict[str, Any] = json.loads((ROOT / "cli/prices.json").read_text())["assumptions"]


def test_the_alarms_are_those_that_are_counted():
    alerts = read(INFRA / "modules/alerts.bicep")
    rules = Counter(rule["frequency"] for rule in alerts.variables["rules"])

    assert rules == {
        "PT5M": ASSUMED["logAlertsEvery5Minutes"],
        "PT15M": ASSUMED["logAlertsEvery15Minutes"],
    }
    metric = [r for r in alerts.resources if r.type == "Microsoft.Insights/metricAlerts"]
    assert len(metric) == ASSUMED["metricAlertSeries"]


def test_the_memory_of_an_instance_is_the_one_that_is_counted():
    for file in ("main.bicep", "baton.bicep"):
        text = (INFRA / file).read_text()
        (megabytes,) = re.findall(r"param instanceMemoryMB int = (\d+)", text)

        assert int(megabytes) == ASSUMED["instanceGb"] * 1024
