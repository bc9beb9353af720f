"""The smallest scenario in which something is redeployed: one VM, in its window now."""


def one_vm(title, *, discovery="*/2 * * * * *", policy="web", match="*"):
    """The scenario's text: when Baton discovers, and the one policy of team `shop`."""
    return f"""
title = "{title}"
[settings]
BATON_MODE = "live"
BATON_CHECK_INTERVAL = "1s"
BATON_DISCOVERY_SCHEDULE = "{discovery}"
BATON_SWEEP_SCHEDULE = "*/2 * * * * *"
[arm]
throttle_scale = 10
[[subscription]]
id = "11111111-1111-4111-8111-111111111111"
name = "Webshop"
[[vm]]
name = "web-01"
resource_group = "rg-shop"
subscription = "11111111-1111-4111-8111-111111111111"
location = "westeurope"
maintenance = {{ pre_start = "-1m", pre_end = "+20m", start = "+30m", end = "+60m" }}
redeploy_seconds = 1
[[policy]]
PartitionKey = "shop"
RowKey = "{policy}"
match = "{match}"
[expect]
completed = 1
"""
