"use strict";
// One thing at a time: a rollout, a policy, the story of a VM.

function rolloutCard(one, short) {
  const chosen = Object.entries(one.counts)
    .filter(([, number]) => number)
    .map(([kind, number]) => chip(kind, `${number} ${KINDS[kind]}`));
  const together = one.concurrency === 1 ? "one at a time" : `${one.concurrency} at a time`;
  const approval = one.approval && (one.approval.approved ? `approved by ${one.approval.by}` : "waits for approval");
  const name = `${one.team}/${one.policy}, rollout ${one.number}`;
  return h(
    "article",
    { class: "card", "aria-label": name },
    h(
      "header",
      {},
      h(short ? "h3" : "h1", short ? {} : { tabindex: "-1", id: "title" }, short ? rolloutLink(one, name) : name),
      chip(one.phase),
      approval ? chip(one.approval.approved ? "completed" : "noStart", approval) : null,
    ),
    one.why ? h("p", { class: "why" }, timed(one.why, one.zone)) : null,
    h(
      "p",
      { class: "facts" },
      `${count(one.vms, "VM")} in ${count(one.stages.length, "stage")}, ${together}, gap ${one.gap}; ${one.windows || "at any time"} ${one.zone}. `,
      one.start
        ? ["From ", moment(one.start, one.zone), one.end ? [" to ", moment(one.end, one.zone)] : "", ". "]
        : null,
      one.deadline ? ["First window closes ", moment(one.deadline, one.zone), "."] : null,
    ),
    timeline(one),
    h("p", { class: "legend" }, chosen),
    rolloutActs(one),
    stageTable(one),
  );
}

function policyCard(one) {
  const acts = {
    row: "right",
    lastGood: "wrong; its last good version acts",
    nothing: "wrong; nothing starts under it",
  };
  return h(
    "article",
    { class: "card", "aria-label": `${one.team}/${one.policy}` },
    h(
      "header",
      {},
      h("h2", {}, `${one.team}/${one.policy}`),
      chip(one.problems.length ? "bad" : "completed", acts[one.acts]),
      one.enabled ? null : chip("ended", "disabled"),
      h("small", {}, `${count(one.vms, "VM")} now`),
    ),
    one.problems.length
      ? h(
          "ul",
          { class: "problems" },
          one.problems.map((text) => h("li", {}, text)),
        )
      : null,
    policyActs(one),
    facts(Object.entries(one.columns)),
  );
}

function storyView(story) {
  const job = story.job,
    zone = story.zone;
  const outcomes = story.outcomes.map((row) => [
    row.attempt || "",
    chip(row.outcome === "completed" ? "completed" : row.terminal === "true" ? "bad" : "planned", row.outcome),
    moment(row.startedAt, zone),
    moment(row.endedAt, zone),
    timed(row.reason || "", zone),
    [row.lastOperationResultCode, row.lastOperationMessage].filter(Boolean).join(": "),
  ]);
  return [
    h("h1", { tabindex: "-1", id: "title" }, story.vm),
    h(
      "p",
      {},
      job
        ? [
            stateChip(job),
            " ",
            rolloutLink(job, `${job.team}/${job.policy}, rollout ${job.rollout}, stage ${job.stage}`),
          ]
        : chip("noStart", "no job"),
    ),
    h("p", { class: "why" }, timed(story.why, zone)),
    story.follows.length
      ? h(
          "ul",
          {},
          story.follows.map((text) => h("li", {}, timed(text, zone))),
        )
      : null,
    job?.goAhead
      ? h(
          "p",
          {},
          "It asks for a go-ahead until ",
          moment(job.goAhead.deadline, zone),
          `; without an answer ${silence(job.goAhead)}.`,
        )
      : null,
    vmActs(story),
    story.findings.length
      ? [
          h("h2", {}, "Know before it starts"),
          h(
            "ul",
            {},
            story.findings.map((text) => h("li", {}, text)),
          ),
        ]
      : null,
    story.patches
      ? [
          h("h2", {}, "Patches"),
          h("p", {}, patchChip(story.patches), " ", story.patches.reason),
          facts([
            ["missing", missing(story.patches)],
            ["missing since", moment(story.patches.dueSince, zone)],
            ["Azure installs by", moment(story.patches.azureInstallsBy, zone)],
            ["assessed", story.patches.assessedAt ? moment(story.patches.assessedAt, zone) : "never"],
          ]),
        ]
      : null,
    h("h2", {}, "Outcomes"),
    outcomes.length
      ? table(
          `Newest first; times in ${zone}`,
          ["Attempt", "Outcome", "Started", "Ended", "Why", "Azure's last word"],
          outcomes,
        )
      : h("p", {}, "None yet: an outcome is written when an attempt ends."),
    h("h2", {}, "Alerts"),
    story.alerts.length ? alertTable(story.alerts) : h("p", {}, "Nobody had to be told anything about it."),
    h("h2", {}, "As Azure says"),
    facts([
      ["id", story.vmId],
      ...(job
        ? [
            ["location", job.location],
            ["planned or began", moment(job.start, zone)],
          ]
        : []),
      ...Object.entries(story.maintenance),
    ]),
  ];
}
