from datetime import UTC, datetime

from simulator.scenario import load_scenario
from simulator.scenario_rows import in_time

T0 = datetime(2026, 3, 2, 12, 0, 40, tzinfo=UTC)


def test_times_in_policy_rows_count_from_the_start(tmp_path):
    file = tmp_path / "timed.toml"
    file.write_text(
        "[[policy]]\n"
        'PartitionKey = "shop"\nRowKey = "web"\nconcurrency = 2\n'
        'windows = "{clock +0s}+40s; {clock +30s}+40s"\n'
        'freezes = "{instant +10s}/{instant +1m}"\n'
        '[[edit]]\nat = "+5s"\n[edit.policy]\nPartitionKey = "shop"\nRowKey = "web"\n'
        'windows = "{clock +1h}+5s"\n'
    )

    timed = in_time(load_scenario(file), T0)

    (row,) = timed.policies
    assert row["windows"] == "12:00+40s; 12:01+40s"
    assert row["freezes"] == "2026-03-02T12:00:50Z/2026-03-02T12:01:40Z"
    assert row["concurrency"] == 2
    assert timed.edits[0].policy["windows"] == "13:00+5s"
