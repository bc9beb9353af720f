"""Everything Baton needs of the outside, as contracts. Adapters keep them; tests hold every adapter to them.

All datetimes are aware UTC. Every method may raise `Retryable` when the service is busy or silent, after
the adapter's own short retries; other errors are named.
"""

from shared.ports.alerts import AlertStore
from shared.ports.bus import Bus, Wake, WakeAt
from shared.ports.clock import Clock
from shared.ports.events import Outbox, Receiver
from shared.ports.jobs import Committed, JobStore, OutcomeStore
from shared.ports.machines import Accepted, Activity, Operation, VirtualMachines
from shared.ports.mail import Letters, Mailer
from shared.ports.patches import Enrolment, Patches, PatchOperation, PatchStore
from shared.ports.pauses import PauseStore
from shared.ports.policies import PolicyRow, PolicyStore

__all__ = [
    "Accepted",
    "Activity",
    "AlertStore",
    "Bus",
    "Clock",
    "Committed",
    "Enrolment",
    "JobStore",
    "Letters",
    "Mailer",
    "Operation",
    "Outbox",
    "OutcomeStore",
    "PatchOperation",
    "PatchStore",
    "Patches",
    "PauseStore",
    "PolicyRow",
    "PolicyStore",
    "Receiver",
    "VirtualMachines",
    "Wake",
    "WakeAt",
]
