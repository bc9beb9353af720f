"""The whole app on virtual time, in one process: its real use cases, codecs and table requests.

Resource Manager, the bus, the tables, the mail relay, the clocks and the people are simulated behind the
ports. One seed decides everything: what is there, what goes wrong, and who comes first at every await.
"""
