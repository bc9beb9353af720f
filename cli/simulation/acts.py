"""What people do while the app works: they edit policies and VMs, deploy, approve, and send nonsense."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from azure.core.exceptions import ResourceNotFoundError

from cli.simulation.deployment import Deployment
from cli.simulation.desk import Desk
from cli.simulation.setup import PolicyWrite
from cli.simulation.site import Site
from simulator.scenario_model import Edit


class Acts:
    """Does all that the setup says, each thing at its time."""

    def __init__(self, site: Site, deployment: Deployment) -> None:
        self._site = site
        self._deployment = deployment
        self._desk = Desk(site)

    def begin(self) -> None:
        """Schedules them."""
        setup, unreadable = self._site.setup, self._site.azure.unreadable
        self._site.hook.answer = self._answer
        for write in setup.policies:
            self._at(write.at, self._write_policy, write)
        for edit in setup.scenario.edits:
            if isinstance(edit.at, timedelta):
                self._at(edit.at, self._edit, edit)
        for given in setup.approvals:
            act = self._desk.approve
            self._at(given.at, act, given.team, given.name, given.counts_for)
        for asks in setup.asks:
            self._at(asks.at, self._desk.ask, asks.verb, asks.what)
        for mode in setup.modes:
            self._at(mode.at, self._deploy, mode.mode)
        for item in setup.garbage:
            identity = f"garbage-{item.at.total_seconds():.0f}"
            self._at(item.at, self._deployment.broker.send, item.queue, identity, item.body, 0.0)
        for bad in setup.illegible:
            if key := self._key_of(bad.vm):
                self._at(bad.at, unreadable.add, key)
                self._at(bad.until, unreadable.discard, key)

    def _at(self, at: timedelta, act: Callable[..., None], *what: object) -> None:
        self._site.loop.call_at(at.total_seconds(), act, *what)

    def _answer(self, verb: str, vm_id: str, after: float) -> None:
        """A team's tool answers a VM that asked for a go-ahead, after so many seconds."""
        self._site.loop.call_later(after, self._desk.ask, verb, (vm_id, ""))

    def _write_policy(self, write: PolicyWrite) -> None:
        """As Storage Explorer does: the whole row, whatever it was."""
        account, site = self._site.account, self._site
        cells = {"PartitionKey": write.team, "RowKey": write.name, **(write.columns or {})}
        verb = "delete" if write.columns is None else "upsert"
        account.create_table("BatonPolicies")
        try:
            account.transact("BatonPolicies", [(verb, cells, "")])
        except ResourceNotFoundError:
            return  # deleted twice
        said = "deleted" if write.columns is None else dict(write.columns)
        site.say("people", f"write policy {write.team}/{write.name}: {said}")
        key = (write.team, write.name)
        site.watch.policy_written(site.now, key, write.columns, is_wrong=write.is_wrong)

    def _edit(self, edit: Edit) -> None:
        """The cloud makes its edits by itself; the checks are told of tags and power."""
        site, vm = self._site, edit.vm
        site.azure.at(site.loop.time())
        site.say("azure", f"edit {vm or edit.subscription}")
        key = self._key_of(vm.name) if vm else None
        if key and vm and vm.tags is not None:
            machine = replace(site.watch.facts.machines[key], tags=vm.tags)
            site.watch.retagged(site.now, key, machine)
        if key and vm and vm.power:
            site.watch.happened(site.now, key, "power", "")

    def _deploy(self, mode: str) -> None:
        self._site.say("people", f"deploy with BATON_MODE={mode}")
        self._deployment.deploy(mode)

    def _key_of(self, name: str) -> str | None:
        """The id of the VM of that name, while there is one."""
        vms = self._site.azure.cloud.vms.items()
        return next((key for key, record in vms if record.spec.name == name), None)
