"use strict";
// Where the reader is (the part of the address behind #), and keeping it fresh while the page is open.

const FRESH_MS = 10e3,
  LATE_MS = 5 * 60e3;
const shown = { route: null, failures: 0, timer: 0, at: null, turn: 0 };

function readRoute() {
  const [path, search] = location.hash.replace(/^#\/?/, "").split("?");
  const [view, ...rest] = path.split("/");
  const given = Object.fromEntries(new URLSearchParams(search || ""));
  const filter = {
    team: given.team || "",
    policy: given.policy || "",
    kind: given.kind in kindsOf(view) ? given.kind : "",
    text: given.text || "",
    skip: Number(given.skip) || 0,
  };
  return { view: VIEWS[view] ? view : "rollouts", path: rest.join("/"), filter };
}

const kindsOf = (view) => VIEWS[view]?.kinds || KINDS;
const hashOf = ({ view, path, filter }) => `#/${view}${path ? `/${path}` : ""}${query(filter)}`;

async function refresh() {
  clearTimeout(shown.timer);
  const route = readRoute(),
    key = hashOf(route),
    turn = ++shown.turn;
  const isNew = shown.route !== key;
  if (isNew) fillFilter(route);
  let wait = FRESH_MS;
  try {
    // The rights first: a browser keeps six connections to a server, and the other answers take longer.
    const [, status, answers] = await Promise.all([
      askRights(),
      ask("status"),
      VIEWS[route.view].load(route.filter, route.path),
    ]);
    if (turn !== shown.turn) return; // the reader went on meanwhile
    const changed = isNew || status.changed || answers.some((one) => one.changed);
    shown.failures = 0;
    shown.at = new Date();
    byId("stale").hidden = true;
    showStatus(status.data);
    steer(status.data);
    if (changed)
      draw(
        route,
        answers.map((one) => one.data),
        status.data,
        isNew,
      );
  } catch (error) {
    if (turn !== shown.turn) return;
    if (error.status === 401) return askForKey();
    shown.failures += 1;
    wait = Math.min(FRESH_MS * 2 ** shown.failures, LATE_MS);
    complain(error, isNew);
  }
  shown.route = key;
  shown.timer = setTimeout(refresh, wait);
}

// A redraw leaves the reader where they were: the focus, and what they had unfolded.
function draw(route, answers, status, isNew) {
  const main = byId("main"),
    focused = document.activeElement?.id;
  const unfolded = [...main.querySelectorAll("details[open]")].map((one) => one.id);
  main.replaceChildren(...[problems(status), VIEWS[route.view].show(answers, status, route)].flat(9).filter(Boolean));
  for (const id of unfolded) byId(id)?.setAttribute("open", "");
  document.title = `${byId("title")?.textContent || "Baton"} · Baton`;
  byId("filter").hidden = route.view === "vm";
  if (isNew && shown.route !== null) return shown.typing ? null : byId("title")?.focus();
  if (focused) byId(focused)?.focus({ preventScroll: true });
  if (!isNew)
    say(
      `Updated: ${Object.entries(status.counts)
        .filter(([, number]) => number)
        .map(([kind, number]) => `${number} ${KINDS[kind]}`)
        .join(", ")}`,
    );
}

const say = (text) => {
  byId("said").textContent = text;
};
const problems = (status) =>
  status.problems.length
    ? h(
        "ul",
        { class: "problems", "aria-label": "To see to" },
        status.problems.map((text) => h("li", {}, text)),
      )
    : null;

function showStatus(status) {
  const modes = { live: "live", dryRun: "dry run: plans, never acts", paused: "paused: starts nothing" };
  byId("mode").textContent = modes[status.mode];
  byId("health").textContent = status.heartbeat
    ? `Last discovery ${ago(status.heartbeat.at)}, ${count(status.heartbeat.vms, "VM")} seen · version ${status.version}`
    : `No discovery yet · version ${status.version}`;
  const route = readRoute(),
    teams = Object.keys(status.policies).sort();
  const names = [
    ...new Set(
      teams.filter((team) => !route.filter.team || team === route.filter.team).flatMap((team) => status.policies[team]),
    ),
  ].sort();
  fillChoice("team", teams, route.filter.team);
  fillChoice("policy", names, route.filter.policy);
  const totals = {
    unmatched: status.heartbeat?.unmatched,
    policies: status.wrongPolicies,
    alerts: status.waitingAlerts,
  };
  const told = (view) =>
    totals[view]
      ? ` (${totals[view]}${view === "policies" ? " wrong" : view === "alerts" ? " to be mailed" : ""})`
      : "";
  byId("views").replaceChildren(
    ...Object.entries(VIEWS)
      .filter(([, view]) => view.title)
      .map(([name, view]) =>
        h(
          "li",
          {},
          h(
            "a",
            {
              id: `go-${name}`,
              href: hashOf({ view: name, filter: { ...route.filter, skip: 0 } }),
              "aria-current": name === route.view ? "page" : null,
            },
            view.title + told(name),
          ),
        ),
      ),
  );
}

function fillChoice(id, names, chosen) {
  const options = [...new Set(["", ...names, ...(chosen ? [chosen] : [])])];
  const select = byId(id);
  if ([...select.options].map((one) => one.value).join("\n") !== options.join("\n"))
    select.replaceChildren(...options.map((name) => h("option", { value: name }, name || "all")));
  select.value = chosen;
}

function fillFilter(route) {
  byId("kind").replaceChildren(
    h("option", { value: "" }, "all"),
    ...Object.entries(kindsOf(route.view)).map(([kind, text]) => h("option", { value: kind }, text)),
  );
  for (const name of ["kind", "text"]) if (document.activeElement !== byId(name)) byId(name).value = route.filter[name];
  byId("kind").value = route.filter.kind;
}

function complain(error, isNew) {
  const why = error instanceof Refused ? error.message : "Baton does not answer.";
  const since = shown.at ? ` This is as of ${said(shown.at, myZone)}.` : "";
  byId("stale").textContent = `${why}${since}`;
  byId("stale").hidden = false;
  if (isNew)
    byId("main").replaceChildren(
      h("h1", { tabindex: "-1", id: "title" }, error.status === 404 ? "Not found" : "Not answered"),
      h("p", {}, why),
      h("p", {}, h("a", { href: "#/" }, "Back to the rollouts")),
    );
}

function askForKey() {
  const field = h("input", { type: "password", id: "key", autocomplete: "off", required: true });
  const send = (event) => {
    event.preventDefault();
    keepKey(field.value);
    shown.route = null;
    refresh();
  };
  byId("main").replaceChildren(
    h("h1", { tabindex: "-1", id: "title" }, "A key, please"),
    h(
      "p",
      {},
      memory.key ? "Baton does not take this key." : "Baton shows what it does to those who have a function key.",
      " It is kept in this tab until that is closed.",
    ),
    h(
      "form",
      { on: { submit: send } },
      h("p", {}, h("label", {}, "Key ", field)),
      h("p", {}, h("button", { class: "main" }, "Open")),
    ),
  );
  field.focus();
}

function go(changes) {
  const route = readRoute();
  location.hash = hashOf({ ...route, filter: { ...route.filter, skip: 0, ...changes } });
}

let typed = 0;
byId("text").addEventListener("input", () => {
  clearTimeout(typed);
  typed = setTimeout(() => {
    shown.typing = true;
    go({ text: byId("text").value });
  }, 250);
});
for (const name of ["team", "policy", "kind"])
  byId(name).addEventListener("change", () => {
    shown.typing = true;
    go({ [name]: byId(name).value, ...(name === "team" ? { policy: "" } : {}) });
  });
byId("filter").addEventListener("submit", (event) => event.preventDefault());
byId("filter").addEventListener("reset", () => {
  byId("text").value = "";
  go({ team: "", policy: "", kind: "", text: "" });
});
addEventListener("hashchange", () => {
  if (location.hash === "#main") return history.replaceState(null, "", shown.route || "#/");
  takeKey();
  refresh();
  shown.typing = false;
});
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(shown.timer) : refresh()));
takeKey();
refresh();
