"""Patching: what Azure says of a VM's patches, and what Baton makes of it.

model    what the VM's model and its instance view say
results  what assessPatches and installPatches are asked and answer
columns  the cells of a policy row that are about patching

calendar     when Microsoft releases patches, and which months make VMs reboot
off_peak     when Azure installs by itself
eligibility  whether a VM can have Hotpatch, and whether it has
record       how one VM stands: a row of BatonPatches
judge        a record's state and its reason
observe      from what is seen of a VM to its record
"""
