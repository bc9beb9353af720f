"""What holds for every test."""

import os
import secrets

from hypothesis import HealthCheck, settings

# An example takes as long as the machine needs: how busy that is says nothing about the code.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

# Of the simulations that every run of the tests does afresh. The environment hands it to all workers.
FRESH_SEED = "BATON_TEST_SEED"
FRESH_RUNS = 40
os.environ.setdefault(FRESH_SEED, str(secrets.randbelow(1_000_000_000)))


def pytest_terminal_summary(terminalreporter):
    """Names the fresh seed, also where all is well and nothing else is printed."""
    seed = os.environ[FRESH_SEED]
    terminalreporter.write_line(
        f"The fresh simulations again: ./baton simulate --seed {seed} --runs {FRESH_RUNS}"
    )
