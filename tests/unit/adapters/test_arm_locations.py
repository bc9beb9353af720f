"""ARM's JSON of locations → the domain: real bodies, and what Azure might send instead."""

import pytest

from shared.adapters.arm_locations import location_of, locations_of
from shared.domain.errors import InvalidInput
from shared.domain.places import Location

# The answer of "list locations", as far as Baton looks at it.
WEST = {
    "id": "/subscriptions/A/locations/westeurope",
    "name": "westeurope",
    "type": "Region",
    "displayName": "West Europe",
    "metadata": {
        "regionType": "Physical",
        "pairedRegion": [
            {"name": "northeurope", "id": "/subscriptions/A/locations/northeurope"},
        ],
    },
    "availabilityZoneMappings": [
        {"logicalZone": "1", "physicalZone": "westeurope-az3"},
        {"logicalZone": "2", "physicalZone": "westeurope-az1"},
    ],
}
WEST_READ = Location(
    subscription_id="A",
    name="westeurope",
    pairs=frozenset({"northeurope"}),
    zones={"1": "westeurope-az3", "2": "westeurope-az1"},
)


def test_a_location_has_its_pairs_and_the_subscriptions_own_zone_numbers():
    assert location_of(WEST, "A") == WEST_READ


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": None, "availabilityZoneMappings": None},
        {"metadata": {"pairedRegion": []}, "availabilityZoneMappings": []},
        {
            "metadata": {"pairedRegion": [None, {"name": 3}]},
            "availabilityZoneMappings": [None, {"logicalZone": "1"}],
        },
        {"metadata": "none", "availabilityZoneMappings": {"1": "az1"}},
    ],
)
def test_pairs_and_zones_may_be_absent_or_odd(change):
    assert location_of(WEST | change, "A") == Location(subscription_id="A", name="westeurope")


@pytest.mark.parametrize("item", [None, 3, {}, {"name": 3}])
def test_a_location_without_a_name_is_none(item):
    assert location_of(item, "A") is None


@pytest.mark.parametrize("file", [{"value": [WEST]}, [WEST]])
def test_a_file_of_locations_may_be_arms_answer_or_its_list(file):
    assert locations_of(file) == (WEST_READ,)


def test_each_location_of_a_file_belongs_to_the_subscription_in_its_id():
    other = WEST | {"id": "/SUBSCRIPTIONS/b/LOCATIONS/westeurope/"}

    assert [one.subscription_id for one in locations_of([WEST, other])] == ["A", "b"]


@pytest.mark.parametrize("file", [None, "west", {}, {"value": None}, {"name": "westeurope"}])
def test_a_file_that_holds_no_locations_is_refused_with_the_fix(file):
    with pytest.raises(InvalidInput, match=r'\{"value": \[\.\.\.\]\}'):
        locations_of(file)


def test_every_unusable_location_of_a_file_is_named():
    with pytest.raises(InvalidInput) as raised:
        locations_of([WEST, WEST | {"id": "westeurope"}, None, WEST | {"name": ""}])

    assert [problem.field for problem in raised.value.problems] == [
        "value[1].id",
        "value[2].name",
        "value[3].name",
    ]
