"""`./baton hotpatch`: enrolling subscriptions and VMs, seeing how they stand, the calendar."""
