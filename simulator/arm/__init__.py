"""A Resource Manager emulator: enough of Azure for azure-mgmt-compute to run unmodified."""
