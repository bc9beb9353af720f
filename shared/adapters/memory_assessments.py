"""What is known of patches, in memory."""

from collections.abc import Mapping

from shared.domain.offers import Assessed


class MemoryAssessments:
    """Assessments.

    Attributes:
        found: VM key → what is available to it.
    """

    def __init__(self) -> None:
        self.found: dict[str, Assessed] = {}

    async def assessed(self) -> Mapping[str, Assessed]:
        """See the port."""
        return dict(self.found)
