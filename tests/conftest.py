"""What holds for every test."""

from hypothesis import HealthCheck, settings

# An example takes as long as the machine needs: how busy that is says nothing about the code.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
