"""`./baton test -n0 tests/fuzz --hypothesis-profile=long --hypothesis-show-statistics`: a run of minutes."""

from hypothesis import settings

settings.register_profile("long", settings.get_profile("busy"), max_examples=1_000)
