"""Patching: what Azure says of a VM's patches, and what Baton makes of it.

model    what the VM's model and its instance view say
results  what assessPatches and installPatches are asked and answer
columns  the cells of a policy row that are about patching
"""
