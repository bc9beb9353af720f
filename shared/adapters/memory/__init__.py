"""Every port in memory, for tests and for the simulation; the contract tests hold it to the real ones.

The stores write and read through the same rows, so that what does not fit a table does not fit here, and what
comes back is what a table would give. Each can be told to fail, before or after its work is done.
"""

from shared.adapters.memory.alerts import MemoryAlerts
from shared.adapters.memory.bus import MemoryBus
from shared.adapters.memory.clock import MemoryClock
from shared.adapters.memory.events import MemoryOutbox, MemoryReceiver
from shared.adapters.memory.jobs import MemoryJobs, MemoryOutcomes
from shared.adapters.memory.machines import MemoryMachines
from shared.adapters.memory.mail import MemoryMailer
from shared.adapters.memory.patches import MemoryPatches, MemoryPatchStore
from shared.adapters.memory.pauses import MemoryPauses
from shared.adapters.memory.policies import MemoryPolicies

__all__ = [
    "MemoryAlerts",
    "MemoryBus",
    "MemoryClock",
    "MemoryJobs",
    "MemoryMachines",
    "MemoryMailer",
    "MemoryOutbox",
    "MemoryOutcomes",
    "MemoryPatchStore",
    "MemoryPatches",
    "MemoryPauses",
    "MemoryPolicies",
    "MemoryReceiver",
]
