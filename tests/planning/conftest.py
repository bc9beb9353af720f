from copy import deepcopy

import pytest

from tests.planning.facts import read_facts
from tests.planning.plans import serial_plan
from tests.planning.spoiling import FLEET, LOCATIONS, NOW, ROWS


@pytest.fixture
def plan():
    """One VM after another, in the order of the rows; each test spoils it."""
    facts = read_facts(rows=ROWS, fleet=FLEET, locations=LOCATIONS, now=NOW)
    return deepcopy(serial_plan(facts))
