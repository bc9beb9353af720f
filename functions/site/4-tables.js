"use strict";
// The names of states, and lists of VMs, patches and alerts as tables.

const KINDS = {
  asking: "waiting for a go-ahead",
  away: "away now",
  bad: "went wrong",
  noStart: "without a start",
  planned: "planned",
  completed: "completed",
  ended: "other ends",
};
const PATCHES = {
  overdue: "overdue",
  unknown: "not known",
  rebootPending: "reboot pending",
  due: "due",
  notEnrolled: "not enrolled",
  notEligible: "not eligible",
  compliant: "compliant",
};
const PATCH_LOOKS = {
  overdue: "bad",
  unknown: "noStart",
  rebootPending: "noStart",
  due: "away",
  compliant: "completed",
};

const vmLink = (one) => h("a", { id: `vm-${one.vmId}`, href: `#/vm/${vmPath(one.vmId)}` }, one.vm);
const rolloutLink = (one, text) =>
  h("a", { id: `to-${rolloutPath(one)}`, href: `#/rollout/${rolloutPath(one)}` }, text);

const stateChip = (vm) => chip(vm.kind, { asking: "asks", noStart: "no start" }[vm.kind] || vm.state);

function vmTable(caption, vms) {
  const row = (vm) => [
    vmLink(vm),
    [stateChip(vm), vm.work.includes("patch") ? h("small", {}, ` ${vm.work}`) : null],
    rolloutLink(vm, `${vm.team}/${vm.policy}, stage ${vm.stage}`),
    moment(vm.start),
    moment(vm.end),
    moment(vm.closes),
    timed(vm.reason),
  ];
  return table(caption, ["VM", "State", "Policy", "Away from", "Back", "Window closes", "Why"], vms.map(row));
}

// Those who wait for a person, until a deadline.
function askingTable(caption, vms) {
  const row = (vm) => [
    vmLink(vm),
    rolloutLink(vm, `${vm.team}/${vm.policy}, stage ${vm.stage}`),
    vm.goAhead ? [moment(vm.goAhead.deadline), h("small", {}, ` ${ago(vm.goAhead.deadline)}`)] : "",
    silence(vm.goAhead),
    h("span", { class: "acts" }, answerActs(vm)),
  ];
  return table(caption, ["VM", "Policy", "Answer until", "Without an answer", "Answer"], vms.map(row));
}

const silence = (goAhead) => (goAhead ? { start: "it starts", skip: "it is skipped" }[goAhead.default] : "");

const patchChip = (one) => chip(PATCH_LOOKS[one.state] || "", PATCHES[one.state]);
const missing = (one) => (one.due ? `${one.due}${one.kbs.length ? `: ${one.kbs.join(", ")}` : ""}` : "");

function patchTable(vms) {
  const row = (vm) => [
    vmLink(vm),
    patchChip(vm),
    vm.policy ? `${vm.team}/${vm.policy}` : "",
    missing(vm),
    moment(vm.azureInstallsBy),
    vm.assessedAt ? moment(vm.assessedAt) : "never",
    vm.reason,
  ];
  return table(
    `Critical and security patches; times in ${myZone}`,
    ["VM", "State", "Policy", "Missing", "Azure installs by", "Assessed", "Why"],
    vms.map(row),
  );
}

const alertTable = (alerts) =>
  table(
    `Times in ${myZone}`,
    ["When", "What", "About", "Why", "What next", "Mail"],
    alerts.map((one) => [
      moment(one.raisedAt),
      chip("", one.kind),
      one.policy ? `${one.subject} (${one.team}/${one.policy})` : one.subject,
      timed(one.reason),
      timed(one.nextStep),
      one.note || one.state,
    ]),
  );
