"use strict";
// What each view asks for, and how that looks. `load` gives what `show` draws.

const KINDS = { asking: "waiting for a go-ahead", away: "away now", bad: "went wrong", noStart: "without a start", planned: "planned", completed: "completed", ended: "other ends" };
const PATCHES = { overdue: "overdue", unknown: "not known", rebootPending: "reboot pending", due: "due", notEnrolled: "not enrolled", notEligible: "not eligible", compliant: "compliant" };
const PATCH_LOOKS = { overdue: "bad", unknown: "noStart", rebootPending: "noStart", due: "away", compliant: "completed" };
const PAGE = 100, FEW = 10;

// What a person may have to see to comes before the rollouts.
const FIRST = { asking: ["Waiting for a go-ahead", askingTable], away: ["Away now", vmTable], bad: ["Went wrong", vmTable], noStart: ["Without a start", vmTable] };

const vmLink = (one) => h("a", { id: `vm-${one.vmId}`, href: `#/vm/${vmPath(one.vmId)}` }, one.vm);
const rolloutLink = (one, text) => h("a", { id: `to-${rolloutPath(one)}`, href: `#/rollout/${rolloutPath(one)}` }, text);
const listOf = (kind) => (filter) => ask(`${kind}${query({ ...filter, limit: PAGE })}`);

const stateChip = (vm) => chip(vm.kind, { asking: "asks", noStart: "no start" }[vm.kind] || vm.state);

function vmTable(caption, vms) {
  const row = (vm) => [vmLink(vm), [stateChip(vm), vm.work.includes("patch") ? h("small", {}, ` ${vm.work}`) : null], rolloutLink(vm, `${vm.team}/${vm.policy}, stage ${vm.stage}`), moment(vm.start), moment(vm.end), moment(vm.closes), timed(vm.reason)];
  return table(caption, ["VM", "State", "Policy", "Away from", "Back", "Window closes", "Why"], vms.map(row));
}

// Those who wait for a person, until a deadline.
function askingTable(caption, vms) {
  const row = (vm) => [vmLink(vm), rolloutLink(vm, `${vm.team}/${vm.policy}, stage ${vm.stage}`), vm.goAhead ? [moment(vm.goAhead.deadline), h("small", {}, ` ${ago(vm.goAhead.deadline)}`)] : "", silence(vm.goAhead), h("span", { class: "acts" }, answerActs(vm))];
  return table(caption, ["VM", "Policy", "Answer until", "Without an answer", "Answer"], vms.map(row));
}

const silence = (goAhead) => (goAhead ? { start: "it starts", skip: "it is skipped" }[goAhead.default] : "");

function pager(page, route) {
  const last = page.skip + page.items.length;
  const to = (skip) => h("a", { href: hashOf({ ...route, filter: { ...route.filter, skip } }) }, skip < page.skip ? "Previous" : "Next");
  return h("p", { class: "pager" }, `${page.skip + 1} to ${last} of ${page.total.toLocaleString("en")}`,
    page.skip > 0 ? to(Math.max(page.skip - PAGE, 0)) : null, last < page.total ? to(last) : null);
}

// Why there is nothing to see: in this order, what a person could do something about comes first.
function whyEmpty(status, what) {
  const beat = status.heartbeat, chosen = status.mode === "dryRun" ? " Baton is in dry run: it plans and never acts." : "";
  if (!beat) return "No discovery has gone through yet. The first comes within a few minutes of the start; if it stays away, look at the log of the function discover.";
  if (!beat.vms) return "Baton sees no VM at all: give its identity the right to read the subscriptions, and look at BATON_SUBSCRIPTIONS.";
  if (beat.failedSubscriptions && !sum(status.counts)) return `${count(beat.failedSubscriptions, "subscription")} could not be read, so nobody knows what is planned there; the alerts say why.`;
  if (what === "unmatched") return `Every VM that Azure announces a maintenance for has a policy. Baton sees ${count(beat.vms, "VM")}.`;
  if (beat.unmatched && !sum(status.counts)) return `Baton sees ${count(beat.vms, "VM")}; Azure announces a maintenance for ${beat.unmatched} of them, and no policy has them: see Without a policy.`;
  if (what === "patches") return "No VM is watched for patches: no policy's row has patching set to observe or install, or none was looked at yet, which happens every two hours.";
  if (what === "policies") return "The table of policies has no row, so Baton leaves every VM alone. ./baton policy apply FILE writes the first.";
  if (what === "alerts") return "Nobody had to be told anything in the last 30 days.";
  return `Baton sees ${count(beat.vms, "VM")}, and Azure announces no maintenance for any of them.${chosen}`;
}

// One way to each state, with how many there are.
function tiles(counts, names, route, view, looks = {}) {
  const tile = ([kind, text]) => h("li", {}, h("a", { class: looks[kind] || kind, href: hashOf({ view, filter: { ...route.filter, skip: 0, kind } }), "aria-current": route.view === view && route.filter.kind === kind ? "true" : null }, h("b", {}, counts[kind].toLocaleString("en")), text));
  // Most teams want no go-ahead.
  const told = Object.entries(names).filter(([kind]) => kind !== "asking" || counts.asking || route.filter.kind === kind);
  return h("ul", { class: "tiles" }, told.map(tile));
}

const sum = (counts) => Object.values(counts).reduce((all, one) => all + one, 0);
const isFiltered = (filter) => ["team", "policy", "kind", "text"].some((name) => filter[name]);

function empty(status, what, filter) {
  const text = isFiltered(filter) ? "Nothing fits the filter above; Clear takes it away." : whyEmpty(status, what);
  return h("div", { class: "empty" }, h("p", {}, text));
}

function rolloutCard(one, short) {
  const chosen = Object.entries(one.counts).filter(([, number]) => number).map(([kind, number]) => chip(kind, `${number} ${KINDS[kind]}`));
  const together = one.concurrency === 1 ? "one at a time" : `${one.concurrency} at a time`;
  const approval = one.approval && (one.approval.approved ? `approved by ${one.approval.by}` : "waits for approval");
  const name = `${one.team}/${one.policy}, rollout ${one.number}`;
  return h("article", { class: "card", "aria-label": name },
    h("header", {}, h(short ? "h3" : "h1", short ? {} : { tabindex: "-1", id: "title" }, short ? rolloutLink(one, name) : name), chip(one.phase), approval ? chip(one.approval.approved ? "completed" : "noStart", approval) : null),
    one.why ? h("p", { class: "why" }, timed(one.why, one.zone)) : null,
    h("p", { class: "facts" }, `${count(one.vms, "VM")} in ${count(one.stages.length, "stage")}, ${together}, gap ${one.gap}; ${one.windows || "at any time"} ${one.zone}. `,
      one.start ? ["From ", moment(one.start, one.zone), one.end ? [" to ", moment(one.end, one.zone)] : "", ". "] : null,
      one.deadline ? ["First window closes ", moment(one.deadline, one.zone), "."] : null),
    timeline(one), h("p", { class: "legend" }, chosen), rolloutActs(one), stageTable(one));
}

const VIEWS = {
  rollouts: {
    title: "Rollouts",
    load: (filter) => Promise.all([
      ask(`rollouts${query({ ...filter, limit: 20 })}`),
      ...Object.keys(FIRST).map((kind) => (filter.kind && filter.kind !== kind ? { data: { items: [], total: 0 } } : ask(`vms${query({ ...filter, skip: 0, kind, limit: FEW })}`)))]),
    show([rollouts, ...lists], status, route) {
      const few = ([title, draw], { total, items }) => (total ? [h("h2", {}, title), draw(total > FEW ? `The first ${FEW} of ${total}` : count(total, "VM"), items)] : null);
      return [h("h1", { tabindex: "-1", id: "title" }, "What Baton does"), tiles(status.counts, KINDS, route, "vms"),
        Object.values(FIRST).map((one, at) => few(one, lists[at])),
        h("h2", {}, "Rollouts"), rollouts.items.length ? [h("p", { class: "legend" }, "White: the policy's hours. Hatched: a freeze. Red line: the first window closes. Dark line: now."), rollouts.items.map((one) => rolloutCard(one, true)), rollouts.total > 20 ? h("p", {}, `The first 20 of ${rollouts.total}; the filter finds the others.`) : null] : empty(status, "rollouts", route.filter)];
    },
  },
  vms: { title: "VMs", load: (filter) => Promise.all([listOf("vms")(filter)]), show: ([page], status, route) => list("VMs in a rollout", page, status, route, () => vmTable(`Times in ${myZone}`, page.items)) },
  unmatched: {
    title: "Without a policy",
    load: ({ text, skip }) => Promise.all([listOf("unmatched")({ text, skip })]),
    show: ([page], status, route) => list("VMs with a maintenance and no policy", page, status, route, () => table("Baton leaves them alone; a policy that matches them changes that.", ["VM", "Location", "Window closes", "Why"], page.items.map((vm) => [vmLink(vm), vm.location, moment(vm.closes), timed(vm.reason)]))),
  },
  patches: {
    title: "Patches",
    kinds: PATCHES,
    load: ({ team, policy, kind, text, skip }) => Promise.all([listOf("patches")({ team, policy, state: kind, text, skip })]),
    show: ([page], status, route) => [h("h1", { tabindex: "-1", id: "title" }, "Patches"), sum(page.counts) ? tiles(page.counts, PATCHES, route, "patches", PATCH_LOOKS) : null, page.items.length ? [patchTable(page.items), pager(page, route)] : empty(status, "patches", route.filter)],
  },
  policies: {
    title: "Policies",
    load: ({ team, policy, text, skip }) => Promise.all([listOf("policies")({ team, policy, text, skip })]),
    show: ([page], status, route) => list("Policies", page, status, route, () => page.items.map(policyCard)),
  },
  alerts: {
    title: "Alerts",
    load: ({ team, policy, text, skip }) => Promise.all([listOf("alerts")({ team, policy, text, skip })]),
    show: ([page], status, route) => list("Alerts of the last 30 days", page, status, route, () => alertTable(page.items)),
  },
  rollout: {
    load: (filter, path) => Promise.all([ask(`rollouts/${path}`), ask(`vms${query({ team: part(path, 0), policy: part(path, 1), rollout: part(path, 2), kind: filter.kind, text: filter.text, skip: filter.skip, limit: PAGE })}`)]),
    show: ([one, vms], status, route) => [rolloutCard(one, false), vms.items.length ? [vmTable(`Its VMs; times in ${myZone}`, vms.items), pager(vms, route)] : empty(status, "vms", route.filter)],
  },
  vm: { load: (_, path) => Promise.all([ask(`vms/${path}`)]), show: ([story]) => storyView(story) },
};
const part = (path, at) => decodeURIComponent(path.split("/")[at]);

function list(title, page, status, route, draw) {
  return [h("h1", { tabindex: "-1", id: "title" }, title), page.items.length ? [draw(), pager(page, route)] : empty(status, route.view, route.filter)];
}

const patchChip = (one) => chip(PATCH_LOOKS[one.state] || "", PATCHES[one.state]);
const missing = (one) => (one.due ? `${one.due}${one.kbs.length ? `: ${one.kbs.join(", ")}` : ""}` : "");

function patchTable(vms) {
  const row = (vm) => [vmLink(vm), patchChip(vm), vm.policy ? `${vm.team}/${vm.policy}` : "", missing(vm), moment(vm.azureInstallsBy), vm.assessedAt ? moment(vm.assessedAt) : "never", vm.reason];
  return table(`Critical and security patches; times in ${myZone}`, ["VM", "State", "Policy", "Missing", "Azure installs by", "Assessed", "Why"], vms.map(row));
}

const alertTable = (alerts) => table(`Times in ${myZone}`, ["When", "What", "About", "Why", "What next", "Mail"], alerts.map((one) => [moment(one.raisedAt), chip("", one.kind), one.policy ? `${one.subject} (${one.team}/${one.policy})` : one.subject, timed(one.reason), timed(one.nextStep), one.note || one.state]));

function policyCard(one) {
  const acts = { row: "right", lastGood: "wrong; its last good version acts", nothing: "wrong; nothing starts under it" };
  return h("article", { class: "card", "aria-label": `${one.team}/${one.policy}` }, h("header", {}, h("h2", {}, `${one.team}/${one.policy}`), chip(one.problems.length ? "bad" : "completed", acts[one.acts]), one.enabled ? null : chip("ended", "disabled"), h("small", {}, `${count(one.vms, "VM")} now`)),
    one.problems.length ? h("ul", { class: "problems" }, one.problems.map((text) => h("li", {}, text))) : null, policyActs(one), facts(Object.entries(one.columns)));
}

function storyView(story) {
  const job = story.job, zone = story.zone;
  const outcomes = story.outcomes.map((row) => [row.attempt || "", chip(row.outcome === "completed" ? "completed" : row.terminal === "true" ? "bad" : "planned", row.outcome), moment(row.startedAt, zone), moment(row.endedAt, zone), timed(row.reason || "", zone), [row.lastOperationResultCode, row.lastOperationMessage].filter(Boolean).join(": ")]);
  return [h("h1", { tabindex: "-1", id: "title" }, story.vm), h("p", {}, job ? [stateChip(job), " ", rolloutLink(job, `${job.team}/${job.policy}, rollout ${job.rollout}, stage ${job.stage}`)] : chip("noStart", "no job")),
    h("p", { class: "why" }, timed(story.why, zone)), story.follows.length ? h("ul", {}, story.follows.map((text) => h("li", {}, timed(text, zone)))) : null,
    job?.goAhead ? h("p", {}, "It asks for a go-ahead until ", moment(job.goAhead.deadline, zone), `; without an answer ${silence(job.goAhead)}.`) : null, vmActs(story),
    story.findings.length ? [h("h2", {}, "Know before it starts"), h("ul", {}, story.findings.map((text) => h("li", {}, text)))] : null,
    story.patches ? [h("h2", {}, "Patches"), h("p", {}, patchChip(story.patches), " ", story.patches.reason), facts([["missing", missing(story.patches)], ["missing since", moment(story.patches.dueSince, zone)], ["Azure installs by", moment(story.patches.azureInstallsBy, zone)], ["assessed", story.patches.assessedAt ? moment(story.patches.assessedAt, zone) : "never"]])] : null,
    h("h2", {}, "Outcomes"), outcomes.length ? table(`Newest first; times in ${zone}`, ["Attempt", "Outcome", "Started", "Ended", "Why", "Azure's last word"], outcomes) : h("p", {}, "None yet: an outcome is written when an attempt ends."),
    h("h2", {}, "Alerts"), story.alerts.length ? alertTable(story.alerts) : h("p", {}, "Nobody had to be told anything about it."),
    h("h2", {}, "As Azure says"), facts([["id", story.vmId], ...(job ? [["location", job.location], ["planned or began", moment(job.start, zone)]] : []), ...Object.entries(story.maintenance)])];
}
