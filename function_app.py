"""The function app: registers the triggers, and nothing else."""

import azure.functions as func

from functions import (
    act,
    ahead,
    alerts,
    api,
    calendar_feed,
    dead_letter,
    discovery,
    hint,
    page,
    patches,
    redeploy,
    sweep,
)

app = func.FunctionApp()
for module in (
    *(discovery, redeploy, alerts, dead_letter, sweep),
    *(hint, patches, calendar_feed, api, act, page),
):
    app.register_functions(module.bp)
# Last: nothing else is imported meanwhile.
ahead.import_ahead()
