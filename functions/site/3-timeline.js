"use strict";
// A rollout along time: its policy's hours, freezes, stages, the deadline and now. A table says the same.

const MINUTE = 60e3,
  HOUR = 60 * MINUTE,
  DAY = 24 * HOUR;
const STEPS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, DAY / 2, DAY, 2 * DAY, 7 * DAY, 14 * DAY];
const STAGES_MAX = 12; // of more the first are drawn; the table has them all

function timeline(rollout) {
  const at = (text) => new Date(text).getTime();
  if (!rollout.start) return null;
  const first = at(rollout.start),
    last = Math.max(at(rollout.end || rollout.start), first + MINUTE);
  const margin = (last - first) * 0.08,
    deadline = rollout.deadline ? at(rollout.deadline) : null;
  const near = deadline && deadline > first && deadline < last + (last - first);
  const from = first - margin,
    to = (near ? Math.max(last, deadline) : last) + margin;
  const place = (time) => (100 * (Math.min(Math.max(time, from), to) - from)) / (to - from);
  const span = (kind, start, end) =>
    h("i", { class: kind, style: { left: `${place(start)}%`, width: `${place(end) - place(start)}%` } });
  const line = (kind, time) =>
    time > from && time < to ? h("i", { class: kind, style: { left: `${place(time)}%` } }) : null;
  const bar = (stage) => {
    const kind = stage.bad
      ? "bad"
      : stage.ended === stage.vms
        ? "completed"
        : stage.start && at(stage.start) < Date.now()
          ? "away"
          : "planned";
    const width = Math.max(place(at(stage.end)) - place(at(stage.start)), 0.4);
    return h(
      "div",
      { class: `stage ${kind}` },
      h("b", { style: { left: `${place(at(stage.start))}%`, width: `${width}%` } }),
    );
  };
  const stages = rollout.stages.filter((stage) => stage.start && stage.end);
  return h(
    "div",
    { "aria-hidden": "true" },
    h(
      "div",
      { class: `time${rollout.hours ? "" : " always"}` },
      (rollout.hours || []).map((one) => span("open", at(one.start), at(one.end))),
      rollout.freezes.map((one) => span("freeze", at(one.start), at(one.end))),
      stages.slice(0, STAGES_MAX).map(bar),
      near ? line("deadline", deadline) : null,
      line("now", Date.now()),
    ),
    h(
      "div",
      { class: "ticks" },
      ticks(from, to, rollout.zone).map(([time, text]) => h("span", { style: { left: `${place(time)}%` } }, text)),
    ),
  );
}

// Round times of the policy's zone, so far apart that their labels fit.
function ticks(from, to, zone) {
  const step = STEPS.find((each) => (to - from) / each <= 6) || (to - from) / 5;
  const shift = offset(new Date(from), zone);
  const found = [];
  for (let time = Math.ceil((from + shift) / step) * step - shift; time < to - (to - from) / 12; time += step) {
    const text = said(new Date(time), zone);
    found.push([
      time,
      step < DAY ? (text.slice(-5) === "00:00" ? text.slice(0, -6) : text.slice(-5)) : text.slice(0, -6),
    ]);
  }
  return found;
}

function offset(at, zone) {
  const whole = {
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    hourCycle: "h23",
  };
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat("en", { ...whole, timeZone: zone })
      .formatToParts(at)
      .map((part) => [part.type, Number(part.value)]),
  );
  return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute) - Math.floor(at / MINUTE) * MINUTE;
}

function stageTable(rollout) {
  const rows = rollout.stages.map((one) => [
    String(one.number),
    String(one.vms),
    `${one.ended}${one.bad ? `, ${one.bad} of them badly` : ""}`,
    moment(one.start, rollout.zone),
    moment(one.end, rollout.zone),
  ]);
  return h(
    "details",
    { id: `stages-${rolloutPath(rollout)}` },
    h("summary", {}, count(rollout.stages.length, "stage")),
    table(`Times in ${rollout.zone}`, ["Stage", "VMs", "Done", "From", "To"], rows),
  );
}
