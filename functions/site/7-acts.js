"use strict";
// What a person may do. Whoever may only look sees none of it.

const rights = { name: "", mayAct: false, asked: "" };

// Once for each key: a key that only reads is refused here, and the page then shows no buttons.
async function askRights() {
  if (rights.asked === memory.key) return;
  const answer = await fetch("v1/who", { method: "POST", headers: { ...headers(), "X-Baton": "1" } });
  Object.assign(rights, answer.ok ? await answer.json() : { name: "", mayAct: false }, { asked: memory.key });
}

const button = (id, text, act) =>
  rights.mayAct ? h("button", { type: "button", id, on: { click: act } }, text) : null;
const buttons = (...all) => (all.some(Boolean) ? h("p", { class: "acts" }, all) : null);

async function send(path, body, version) {
  const answer = await fetch(`v1/${path}`, {
    method: "POST",
    headers: {
      ...headers(),
      "X-Baton": "1",
      "Content-Type": "application/json",
      ...(version ? { "If-Match": version } : {}),
    },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Refused(answer.status, await problem(answer));
  return (await answer.json()).said;
}

const SKIPPED = "It is left out of this maintenance; Azure does it by itself when the self-service window has closed.";

const field = (id, text, attributes = {}) =>
  h("label", {}, text, h("input", { id, maxlength: 200, autocomplete: "off", ...attributes }));

// Asks who and why, sends it once, and says what came of it.
function confirmed({ title, text, path, body = {}, version, extra = null, reason = true }) {
  const dialog = byId("dialog"),
    why = h("p", { role: "alert" }),
    go = h("button", { class: "main" }, title);
  const submit = async (event) => {
    event.preventDefault();
    go.disabled = true;
    const by = byId("by")?.value.trim();
    if (by) localStorage.setItem("baton-by", by);
    try {
      const told = await send(
        path,
        {
          ...body,
          ...(by ? { by } : {}),
          ...(reason && byId("reason").value ? { reason: byId("reason").value } : {}),
          ...(extra ? extra.read() : {}),
        },
        version,
      );
      dialog.close();
      say(told);
      notice(told);
      refresh();
    } catch (error) {
      why.textContent =
        error instanceof Refused ? error.message : "Baton does not answer; nothing is known to be done.";
      go.disabled = false;
    }
  };
  dialog.replaceChildren(
    h(
      "form",
      { on: { submit } },
      h("h2", { id: "dialog-title" }, title),
      h("p", {}, text),
      rights.name ? null : field("by", "Your name", { required: true, value: localStorage.getItem("baton-by") || "" }),
      reason ? field("reason", "Why (may be empty)") : null,
      extra?.field,
      why,
      h("p", { class: "acts" }, go, h("button", { type: "button", on: { click: () => dialog.close() } }, "Cancel")),
    ),
  );
  dialog.showModal();
}

function notice(text) {
  byId("notice").textContent = text;
  clearTimeout(notice.timer);
  notice.timer = setTimeout(() => {
    byId("notice").textContent = "";
  }, 15e3);
}

const scopeOf = (one) => (one.policy ? `${one.team}/${one.policy}` : one.team || "everything");

function pauseButtons(scope) {
  const name = scopeOf(scope),
    held = (shown.pauses || []).some((one) => one.team === scope.team && one.policy === scope.policy);
  const body = Object.fromEntries(
    Object.entries({ team: scope.team, policy: scope.policy }).filter(([, value]) => value),
  );
  if (held)
    return button(`resume-${name}`, `Resume ${name}`, () =>
      confirmed({ title: `Resume ${name}`, text: "What is due starts within minutes.", path: "resume", body }),
    );
  return button(`pause-${name}`, `Pause ${name}`, () =>
    confirmed({
      title: `Pause ${name}`,
      text: "What is away is finished; nothing else starts until somebody resumes it.",
      path: "pause",
      body,
    }),
  );
}

function approveButton(one) {
  if (!one.approval || one.approval.approved || one.phase === "past") return null;
  const select = h(
    "select",
    { id: "until" },
    [
      ["", "for the whole rollout"],
      ["4", "for 4 hours"],
      ["8", "for 8 hours"],
      ["24", "for 24 hours"],
    ].map(([value, text]) => h("option", { value }, text)),
  );
  const read = () => (select.value ? { until: new Date(Date.now() + Number(select.value) * HOUR).toISOString() } : {});
  const text = `${count(one.vms, "VM")} of ${one.team}/${one.policy}, as you see them now.`;
  return button(`approve-${rolloutPath(one)}`, `Approve rollout ${one.number}`, () =>
    confirmed({
      title: `Approve rollout ${one.number}`,
      text,
      path: `rollouts/${rolloutPath(one)}/approve`,
      version: one.version,
      reason: false,
      extra: { field: h("label", {}, "It counts", select), read },
    }),
  );
}

const rolloutActs = (one) => (one.phase === "past" ? null : buttons(approveButton(one), pauseButtons(one)));
const policyActs = (one) => buttons(pauseButtons(one));

// What may be done to a VM: what it says, what follows, and how the API calls it.
const vmButton = (one, verb, text, path = verb.toLowerCase(), version = undefined) =>
  button(`${verb}-${one.vmId}`, `${verb} ${one.vm}`, () =>
    confirmed({ title: `${verb} ${one.vm}`, text, path: `vms/${vmPath(one.vmId)}/${path}`, version }),
  );

function answerActs(one) {
  const version = one.goAhead?.version;
  return [
    vmButton(one, "Go", "It starts as soon as every rule allows it.", "go-ahead", version),
    vmButton(one, "Skip", SKIPPED, "no-go", version),
  ];
}

function vmActs({ job }) {
  if (!job) return null;
  const act = (verb, text) => vmButton(job, verb, text);
  if (job.kind === "asking") return buttons(...answerActs(job));
  if (["planned", "noStart"].includes(job.kind)) return buttons(act("Skip", SKIPPED));
  if (["bad", "ended"].includes(job.kind))
    return buttons(
      act(
        "Retry",
        "It gets a new job if Azure still offers it and no start of it was taken; otherwise Baton says why not.",
      ),
    );
  return null;
}

// What stands still, and what concerns Baton as a whole.
function steer(status) {
  shown.pauses = status.pauses;
  byId("pauses").replaceChildren(...status.pauses.map((one) => h("li", {}, `${one.text} `, pauseButtons(one))));
  byId("pauses").hidden = !status.pauses.length;
  if (byId("steer").dataset.for === JSON.stringify([rights, status.pauses])) return;
  byId("steer").dataset.for = JSON.stringify([rights, status.pauses]);
  byId("steer").replaceChildren(
    ...[
      status.pauses.some((one) => !one.team) ? null : pauseButtons({ team: "", policy: "" }),
      button("discover", "Discover now", () =>
        confirmed({
          title: "Discover now",
          text: "Baton asks Azure anew and plans anew; with many VMs that takes a minute.",
          path: "discover",
          reason: false,
        }),
      ),
      button("test-mail", "Test mail", () =>
        confirmed({
          title: "Test mail",
          text: "It goes to the recipients of every alert.",
          path: "test-mail",
          reason: false,
        }),
      ),
    ].filter(Boolean),
  );
}
