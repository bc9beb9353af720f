"use strict";
// Elements from data. Text is only ever set as text, so that a name like <b> is shown as it is.

function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (name === "style") for (const [property, text] of Object.entries(value)) element.style[property] = text;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const byId = (id) => document.getElementById(id);
const myZone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

// "Wed 2 Dec 22:00" in a zone, with UTC for whoever points at it.
function moment(text, zone = myZone) {
  if (!text) return "";
  const at = new Date(text);
  return h("time", { datetime: text, title: `${text.slice(0, 16).replace("T", " ")} UTC` }, said(at, zone));
}

function said(at, zone) {
  const parts = {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  };
  return new Intl.DateTimeFormat("en-GB", { ...parts, timeZone: zone }).format(at).replaceAll(",", "");
}

// A sentence in which each instant is told as the tables beside it tell theirs.
const timed = (text, zone) =>
  text.split(/(\d{4}-\d\d-\d\d \d\d:\d\d) UTC/).map((part, at) => {
    const instant = `${part.replace(" ", "T")}:00Z`;
    return at % 2 ? (isNaN(new Date(instant)) ? `${part} UTC` : moment(instant, zone)) : part;
  });

const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

function ago(text) {
  const seconds = Math.round((Date.now() - new Date(text)) / 1000);
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) || UNITS.at(-1);
  return new Intl.RelativeTimeFormat("en").format(-Math.trunc(seconds / size), unit);
}

const count = (number, thing) => `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;
const chip = (kind, text = kind) => h("span", { class: `chip ${kind}` }, text);

// A table that a phone shows as a list: every cell carries its column's name.
function table(caption, columns, rows) {
  const cells = (row) => row.map((cell, at) => h("td", { "data-label": columns[at] }, h("span", {}, cell)));
  return h(
    "table",
    {},
    h("caption", {}, caption),
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        columns.map((name) => h("th", { scope: "col" }, name)),
      ),
    ),
    h(
      "tbody",
      {},
      rows.map((row) => h("tr", {}, cells(row))),
    ),
  );
}

const facts = (pairs) =>
  h(
    "dl",
    {},
    pairs
      .filter(([, value]) => value !== "" && value !== null)
      .map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
  );
