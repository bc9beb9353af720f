"""The function app: registers the triggers, and nothing else."""

import azure.functions as func

from functions import alerts, dead_letter, discovery, hint, patches, redeploy, sweep

app = func.FunctionApp()
for module in (discovery, redeploy, alerts, dead_letter, sweep, hint, patches):
    app.register_functions(module.bp)
