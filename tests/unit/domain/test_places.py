import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.places import Location, Places


def a_location(name="westeurope", subscription="a", pairs=(), **zones):
    return Location(
        subscription_id=subscription,
        name=name,
        pairs=frozenset(pairs),
        zones={number[1:]: physical for number, physical in zones.items()},
    )


# The first numbers the zones of West Europe as Azure does, the second otherwise.
PLACES = Places.of(
    [
        a_location(pairs=["northeurope"], z1="westeurope-az1", z2="westeurope-az2"),
        a_location(subscription="B", z1="westeurope-az2", z2="westeurope-az1"),
        a_location("brazilsouth", pairs=["southcentralus"]),
        a_location("southcentralus", pairs=["northcentralus"]),
    ]
)


def test_a_pair_holds_if_either_side_lists_the_other():
    assert PLACES.pairs("westeurope") == {"northeurope"}
    assert PLACES.pairs("northeurope") == {"westeurope"}
    assert PLACES.pairs("southcentralus") == {"northcentralus", "brazilsouth"}
    assert PLACES.pairs("italynorth") == frozenset()


names = st.sampled_from(["westeurope", "northeurope", "italynorth", "uksouth"])


@given(
    st.lists(
        st.builds(a_location, name=names, subscription=st.sampled_from("ab"), pairs=st.sets(names))
    )
)
def test_pairs_are_mutual_whatever_the_locations_list(locations):
    places = Places.of(locations)

    for location in locations:
        assert location.pairs <= places.pairs(location.name)
        assert all(location.name in places.pairs(other) for other in places.pairs(location.name))


def test_zones_of_different_subscriptions_are_compared_by_the_physical_zone():
    assert PLACES.zone_of("a", "westeurope", "1") == "westeurope/westeurope-az1"
    assert PLACES.zone_of("b", "westeurope", "2") == "westeurope/westeurope-az1"
    assert PLACES.zone_of("b", "westeurope", "1") != PLACES.zone_of("a", "westeurope", "1")


def test_without_the_physical_zone_numbers_of_different_subscriptions_count_as_different():
    assert PLACES.zone_of("a", "westeurope", "3") == "a/westeurope/3"
    assert PLACES.zone_of("b", "westeurope", "3") == "b/westeurope/3"
    assert Places().zone_of("A", "westeurope", "1") == Places().zone_of("a", "West Europe", "1")


def test_a_zone_is_told_from_the_same_number_elsewhere():
    assert Places().zone_of("a", "westeurope", "1") != Places().zone_of("a", "northeurope", "1")


def test_a_vm_without_a_zone_has_no_key():
    assert PLACES.zone_of("a", "westeurope", "") == ""


@pytest.mark.parametrize(("subscription", "name"), [("A", "West Europe"), ("a", "WESTEUROPE")])
def test_casing_and_spaces_do_not_matter(subscription, name):
    assert PLACES.zone_of(subscription, name, "1") == "westeurope/westeurope-az1"
    assert PLACES.pairs(name) == {"northeurope"}


def test_without_any_location_no_pair_is_known():
    assert PLACES.known
    assert Places.of([a_location("italynorth")]).known
    assert not Places().known


def test_a_location_of_no_known_subscription_speaks_for_every_one():
    places = Places.of([Location(subscription_id="", name="westeurope", zones={"1": "az2"})])

    assert places.zone_of("a", "westeurope", "1") == "westeurope/az2"
    assert places.zone_of("a", "westeurope", "1") == places.zone_of("b", "westeurope", "1")
