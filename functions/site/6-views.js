"use strict";
// What each view asks for, and how that looks. `load` gives what `show` draws.

const PAGE = 100,
  FEW = 10;

// What a person may have to see to comes before the rollouts.
const FIRST = {
  asking: ["Waiting for a go-ahead", askingTable],
  away: ["Away now", vmTable],
  bad: ["Went wrong", vmTable],
  noStart: ["Without a start", vmTable],
};

const listOf = (kind) => (filter) => ask(`${kind}${query({ ...filter, limit: PAGE })}`);

function pager(page, route) {
  const last = page.skip + page.items.length;
  const to = (skip) =>
    h("a", { href: hashOf({ ...route, filter: { ...route.filter, skip } }) }, skip < page.skip ? "Previous" : "Next");
  return h(
    "p",
    { class: "pager" },
    `${page.skip + 1} to ${last} of ${page.total.toLocaleString("en")}`,
    page.skip > 0 ? to(Math.max(page.skip - PAGE, 0)) : null,
    last < page.total ? to(last) : null,
  );
}

// Why there is nothing to see: in this order, what a person could do something about comes first.
function whyEmpty(status, what) {
  const beat = status.heartbeat,
    chosen = status.mode === "dryRun" ? " Baton is in dry run: it plans and never acts." : "";
  if (!beat)
    return "No discovery has gone through yet. The first comes within a few minutes of the start; if it stays away, look at the log of the function discover.";
  if (!beat.vms)
    return "Baton sees no VM at all: give its identity the right to read the subscriptions, and look at BATON_SUBSCRIPTIONS.";
  if (beat.failedSubscriptions && !sum(status.counts))
    return `${count(beat.failedSubscriptions, "subscription")} could not be read, so nobody knows what is planned there; the alerts say why.`;
  if (what === "unmatched")
    return `Every VM that Azure announces a maintenance for has a policy. Baton sees ${count(beat.vms, "VM")}.`;
  if (beat.unmatched && !sum(status.counts))
    return `Baton sees ${count(beat.vms, "VM")}; Azure announces a maintenance for ${beat.unmatched} of them, and no policy has them: see Without a policy.`;
  if (what === "patches")
    return "No VM is watched for patches: no policy's row has patching set to observe or install, or none was looked at yet, which happens every two hours.";
  if (what === "policies")
    return "The table of policies has no row, so Baton leaves every VM alone. ./baton policy apply FILE writes the first.";
  if (what === "alerts") return "Nobody had to be told anything in the last 30 days.";
  return `Baton sees ${count(beat.vms, "VM")}, and Azure announces no maintenance for any of them.${chosen}`;
}

// One way to each state, with how many there are.
function tiles(counts, names, route, view, looks = {}) {
  const tile = ([kind, text]) =>
    h(
      "li",
      {},
      h(
        "a",
        {
          class: looks[kind] || kind,
          href: hashOf({ view, filter: { ...route.filter, skip: 0, kind } }),
          "aria-current": route.view === view && route.filter.kind === kind ? "true" : null,
        },
        h("b", {}, counts[kind].toLocaleString("en")),
        text,
      ),
    );
  // Most teams want no go-ahead.
  const told = Object.entries(names).filter(
    ([kind]) => kind !== "asking" || counts.asking || route.filter.kind === kind,
  );
  return h("ul", { class: "tiles" }, told.map(tile));
}

const sum = (counts) => Object.values(counts).reduce((all, one) => all + one, 0);
const isFiltered = (filter) => ["team", "policy", "kind", "text"].some((name) => filter[name]);

function empty(status, what, filter) {
  const text = isFiltered(filter) ? "Nothing fits the filter above; Clear takes it away." : whyEmpty(status, what);
  return h("div", { class: "empty" }, h("p", {}, text));
}

const VIEWS = {
  rollouts: {
    title: "Rollouts",
    load: (filter) =>
      Promise.all([
        ask(`rollouts${query({ ...filter, limit: 20 })}`),
        ...Object.keys(FIRST).map((kind) =>
          filter.kind && filter.kind !== kind
            ? { data: { items: [], total: 0 } }
            : ask(`vms${query({ ...filter, skip: 0, kind, limit: FEW })}`),
        ),
      ]),
    show([rollouts, ...lists], status, route) {
      const few = ([title, draw], { total, items }) =>
        total
          ? [h("h2", {}, title), draw(total > FEW ? `The first ${FEW} of ${total}` : count(total, "VM"), items)]
          : null;
      return [
        h("h1", { tabindex: "-1", id: "title" }, "What Baton does"),
        tiles(status.counts, KINDS, route, "vms"),
        Object.values(FIRST).map((one, at) => few(one, lists[at])),
        h("h2", {}, "Rollouts"),
        rollouts.items.length
          ? [
              h(
                "p",
                { class: "legend" },
                "White: the policy's hours. Hatched: a freeze. Red line: the first window closes. Dark line: now.",
              ),
              rollouts.items.map((one) => rolloutCard(one, true)),
              rollouts.total > 20
                ? h("p", {}, `The first 20 of ${rollouts.total}; the filter finds the others.`)
                : null,
            ]
          : empty(status, "rollouts", route.filter),
      ];
    },
  },
  vms: {
    title: "VMs",
    load: (filter) => Promise.all([listOf("vms")(filter)]),
    show: ([page], status, route) =>
      list("VMs in a rollout", page, status, route, () => vmTable(`Times in ${myZone}`, page.items)),
  },
  unmatched: {
    title: "Without a policy",
    load: ({ text, skip }) => Promise.all([listOf("unmatched")({ text, skip })]),
    show: ([page], status, route) =>
      list("VMs with a maintenance and no policy", page, status, route, () =>
        table(
          "Baton leaves them alone; a policy that matches them changes that.",
          ["VM", "Location", "Window closes", "Why"],
          page.items.map((vm) => [vmLink(vm), vm.location, moment(vm.closes), timed(vm.reason)]),
        ),
      ),
  },
  patches: {
    title: "Patches",
    kinds: PATCHES,
    load: ({ team, policy, kind, text, skip }) =>
      Promise.all([listOf("patches")({ team, policy, state: kind, text, skip })]),
    show: ([page], status, route) => [
      h("h1", { tabindex: "-1", id: "title" }, "Patches"),
      sum(page.counts) ? tiles(page.counts, PATCHES, route, "patches", PATCH_LOOKS) : null,
      page.items.length ? [patchTable(page.items), pager(page, route)] : empty(status, "patches", route.filter),
    ],
  },
  policies: {
    title: "Policies",
    load: ({ team, policy, text, skip }) => Promise.all([listOf("policies")({ team, policy, text, skip })]),
    show: ([page], status, route) => list("Policies", page, status, route, () => page.items.map(policyCard)),
  },
  alerts: {
    title: "Alerts",
    load: ({ team, policy, text, skip }) => Promise.all([listOf("alerts")({ team, policy, text, skip })]),
    show: ([page], status, route) =>
      list("Alerts of the last 30 days", page, status, route, () => alertTable(page.items)),
  },
  rollout: {
    load: (filter, path) =>
      Promise.all([
        ask(`rollouts/${path}`),
        ask(
          `vms${query({ team: part(path, 0), policy: part(path, 1), rollout: part(path, 2), kind: filter.kind, text: filter.text, skip: filter.skip, limit: PAGE })}`,
        ),
      ]),
    show: ([one, vms], status, route) => [
      rolloutCard(one, false),
      vms.items.length
        ? [vmTable(`Its VMs; times in ${myZone}`, vms.items), pager(vms, route)]
        : empty(status, "vms", route.filter),
    ],
  },
  vm: { load: (_, path) => Promise.all([ask(`vms/${path}`)]), show: ([story]) => storyView(story) },
};
const part = (path, at) => decodeURIComponent(path.split("/")[at]);

function list(title, page, status, route, draw) {
  return [
    h("h1", { tabindex: "-1", id: "title" }, title),
    page.items.length ? [draw(), pager(page, route)] : empty(status, route.view, route.filter),
  ];
}
