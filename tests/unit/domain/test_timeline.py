"""The starts of one stage."""

from datetime import UTC, datetime, timedelta

from shared.domain.planning.model import Fixed, Lane, Place, Stage, Starts, micros, span
from shared.domain.planning.timeline import Timeline

NOW = datetime(2026, 12, 1, tzinfo=UTC)
LENGTH = span(timedelta(minutes=25))


def test_two_that_went_together_from_places_of_which_one_is_not_known_stand_in_the_way_alike():
    began = micros(NOW)
    places = (Place(domain=None), Place(domain=0))
    stage = Stage(tasks=(), fixed=tuple(Fixed(place, began, began + LENGTH) for place in places))
    lane = Lane(
        key=("shop", "web"),
        slots=2,
        length=LENGTH,
        gap=0,
        starts=Starts([(NOW, NOW + timedelta(days=1))], LENGTH),
        stages=(stage,),
        opens=began,
    )

    line = Timeline(lane, stage, {})

    assert line.starts == [began, began]
    assert line.earliest(Place(), began, began + 10 * LENGTH) == began + LENGTH
