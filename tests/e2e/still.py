"""A laptop cloud in which nothing moves by itself, so that a page can be looked at in peace."""

SCENARIO = """
title = "Nothing moves"
[settings]
BATON_MODE = "live"
BATON_DISCOVERY_SCHEDULE = "0 0 0 1 1 *"
BATON_SWEEP_SCHEDULE = "0 0 0 1 1 *"
[[subscription]]
id = "11111111-1111-4111-8111-111111111111"
name = "Webshop"
[[vm]]
name = "web-01"
resource_group = "rg-shop"
subscription = "11111111-1111-4111-8111-111111111111"
location = "westeurope"
[[policy]]
PartitionKey = "ops"
RowKey = "nobody"
match = "name:nobody"
[expect]
completed = 0
"""
