"""The regions the emulator knows without being told, with their pairs and zones."""

from typing import Any, Final

from simulator.scenario_model import Location

# Name, display name, geography, pair, zones. A pair may point one way only
# (brazilsouth) or be missing (italynorth, polandcentral): both occur in Azure.
_ROWS: Final = (
    ("westeurope", "West Europe", "Europe", "northeurope", 3),
    ("northeurope", "North Europe", "Europe", "westeurope", 3),
    ("germanywestcentral", "Germany West Central", "Germany", "germanynorth", 3),
    ("germanynorth", "Germany North", "Germany", "germanywestcentral", 0),
    ("francecentral", "France Central", "France", "francesouth", 3),
    ("francesouth", "France South", "France", "francecentral", 0),
    ("uksouth", "UK South", "United Kingdom", "ukwest", 3),
    ("ukwest", "UK West", "United Kingdom", "uksouth", 0),
    ("swedencentral", "Sweden Central", "Sweden", "swedensouth", 3),
    ("swedensouth", "Sweden South", "Sweden", "swedencentral", 0),
    ("italynorth", "Italy North", "Italy", "", 3),
    ("polandcentral", "Poland Central", "Poland", "", 3),
    ("eastus", "East US", "United States", "westus", 3),
    ("westus", "West US", "United States", "eastus", 0),
    ("eastus2", "East US 2", "United States", "centralus", 3),
    ("centralus", "Central US", "United States", "eastus2", 3),
    ("southcentralus", "South Central US", "United States", "northcentralus", 3),
    ("northcentralus", "North Central US", "United States", "southcentralus", 0),
    ("brazilsouth", "Brazil South", "Brazil", "southcentralus", 3),
)

BUILT_IN: Final = tuple(
    Location(name, display, geography, pair, zones)
    for name, display, geography, pair, zones in _ROWS
)

_GROUPS: Final = {"United States": "US", "Brazil": "South America", "United Kingdom": "UK"}


def location_body(location: Location, subscription: str, rotation: int) -> dict[str, Any]:
    """A region as a subscription sees it.

    ``rotation`` shifts logical against physical zones: in Azure each subscription has its own
    numbering, so that zone 1 of one is not zone 1 of another.
    """
    prefix = f"/subscriptions/{subscription}/locations/"
    metadata: dict[str, Any] = {
        "regionType": "Physical",
        "regionCategory": "Recommended" if location.zones else "Other",
        "geography": location.geography,
        "geographyGroup": _GROUPS.get(location.geography, "Europe"),
        "pairedRegion": (
            [{"name": location.pair, "id": prefix + location.pair}] if location.pair else []
        ),
    }
    body: dict[str, Any] = {
        "id": prefix + location.name,
        "name": location.name,
        "type": "Region",
        "displayName": location.display_name,
        "regionalDisplayName": f"({metadata['geographyGroup']}) {location.display_name}",
        "metadata": metadata,
    }
    if location.zones:
        body["availabilityZoneMappings"] = [
            {
                "logicalZone": str(number + 1),
                "physicalZone": f"{location.name}-az{(number + rotation) % location.zones + 1}",
            }
            for number in range(location.zones)
        ]
    return body
