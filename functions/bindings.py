"""What the triggers bind to, as literals.

The Functions host resolves `%NAME%` only for settings that exist, and ours have defaults; so the settings
are read here, when the app is indexed. With an empty environment the defaults stand. Whether a value is
usable is judged when the first trigger runs, where the error can be told.
"""

import os

import azure.functions as func

from shared.settings import (
    ALERTS_QUEUE,
    DISCOVERY_SCHEDULE,
    JOBS_QUEUE,
    PATCH_SCHEDULE,
    SWEEP_SCHEDULE,
)


def _setting(name: str, default: str) -> str:
    return os.environ.get(name, "").strip() or default


BUS = "BATON_BUS"  # a connection string, or BATON_BUS__fullyQualifiedNamespace for an identity
JOBS = _setting("BATON_JOBS_QUEUE", JOBS_QUEUE)
ALERTS = _setting("BATON_ALERTS_QUEUE", ALERTS_QUEUE)
DISCOVERY = _setting("BATON_DISCOVERY_SCHEDULE", DISCOVERY_SCHEDULE)
SWEEP = _setting("BATON_SWEEP_SCHEDULE", SWEEP_SCHEDULE)
PATCHES = _setting("BATON_PATCH_SCHEDULE", PATCH_SCHEDULE)
DEAD_LETTERS = "/$deadletterqueue"
# Who may use HTTP: whoever has a key of the host's; or whom App Service authentication signs in.
BY_ENTRA = _setting("BATON_SIGN_IN", "key").lower() == "entra"
AUTH_LEVEL = func.AuthLevel.ANONYMOUS if BY_ENTRA else func.AuthLevel.FUNCTION
