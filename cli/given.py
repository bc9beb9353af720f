"""What a person gives `plan` and `explain`: files of policies, a fleet and locations, and an instant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli import files
from cli.fleet_files import FleetFile, read_fleet
from cli.policy_files import FileRow, read_policies
from shared.adapters.arm_locations import locations_of
from shared.domain.errors import InvalidInput, Problem
from shared.domain.ledger import PolicyKey
from shared.domain.places import Places


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFiles:
    """The files, read.

    Attributes:
        columns: Every row that is one; of several with one name the first.
    """

    rows: tuple[FileRow, ...]
    columns: Mapping[PolicyKey, Mapping[str, object]]
    fleet: FleetFile
    places: Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The options, as they were written."""

    policies: Path | None = None
    fleet: Path | None = None
    locations: Path | None = None
    now: str | None = None

    def instant(self) -> datetime | None:
        """The instant of `--now`; None if none was given.

        Raises:
            InvalidInput: It is no instant, or has no offset.
        """
        if self.now is None:
            return None
        try:
            now = datetime.fromisoformat(self.now.strip())
            if now.tzinfo:
                return now.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise _wrong("--now", self.now, "an instant with its offset, such as 2026-12-01T22:00:00Z")

    def files(self) -> GivenFiles | None:
        """The files; None if none was given.

        Raises:
            InvalidInput: One is missing, or cannot be used. A bad row or VM in it stops nothing.
        """
        if self.policies is None and self.fleet is None and self.locations is None:
            return None
        if self.policies is None or self.fleet is None:
            missing = "--policies" if self.policies is None else "--fleet"
            raise _wrong(missing, "", "a file too: policies and a fleet go together")
        rows = read_policies(self.policies)
        columns: dict[PolicyKey, Mapping[str, object]] = {}
        for row in rows:
            if row.is_row:
                columns.setdefault(row.key, row.columns)
        return GivenFiles(
            rows=rows,
            columns=columns,
            fleet=read_fleet(self.fleet),
            places=_places(self.locations) if self.locations else Places(),
        )


def _places(path: Path) -> Places:
    try:
        return Places.of(locations_of(files.read_json(path)))
    except InvalidInput as wrong:
        raise InvalidInput(files.shown(path), wrong.problems) from wrong


def _wrong(option: str, value: str, expected: str) -> InvalidInput:
    return InvalidInput("options", (Problem(option, value, expected),))
