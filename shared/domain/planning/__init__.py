"""Planning: a start for every offered VM that keeps every rule, or the reason why there is none.

model     what is planned: tasks (VMs) in the stages of lanes (policies); instants are whole microseconds
timeline  the starts of one stage, and the earliest next one that fits among them
turns     who of a stage starts next
lane      one policy's plan: stage after stage, giving up what costs more than it saves
search    the best plan of a group, exactly where it is small
groups    which policies have to be planned together
reasons   why a VM has no start, and what would free it
fleet     the whole: (fleet, policies, now) → plan
"""
