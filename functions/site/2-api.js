"use strict";
// Asking Baton. The key comes behind the page's address as #key=..., which no server is sent, or is typed in.

const memory = { etags: new Map(), key: sessionStorage.getItem("baton-key") || "" };

class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

function takeKey() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (!given) return;
  keepKey(given);
  history.replaceState(null, "", "#/");
}

function keepKey(key) {
  memory.key = key.trim();
  sessionStorage.setItem("baton-key", memory.key);
}

const headers = () => (memory.key ? { "x-functions-key": memory.key } : {});

// What is there, and whether it is other than at the last time. The browser keeps it by its ETag.
async function ask(path) {
  const answer = await fetch(`v1/${path}`, { headers: headers(), cache: "no-cache", credentials: "same-origin" });
  if (!answer.ok) throw new Refused(answer.status, await problem(answer));
  const etag = answer.headers.get("ETag");
  const changed = memory.etags.get(path) !== etag;
  memory.etags.set(path, etag);
  return { changed, data: await answer.json() };
}

async function problem(answer) {
  try {
    const body = await answer.json();
    const more = (body.problems || []).map((one) => `${one.field}: expected ${one.expected}`);
    return [body.detail, ...more].join(" ");
  } catch {
    return `HTTP ${answer.status}`;
  }
}

const query = (parts) => {
  const kept = Object.entries(parts).filter(([, value]) => value !== "" && value !== 0 && value !== undefined);
  return kept.length ? `?${new URLSearchParams(kept)}` : "";
};

const vmPath = (id) => {
  const parts = id.split("/");
  return [parts[2], parts[4], parts.length > 9 ? `${parts[8]}~${parts[10]}` : parts[8]]
    .map(encodeURIComponent)
    .join("/");
};
const rolloutPath = (one) => [one.team, one.policy, one.number ?? one.rollout].map(encodeURIComponent).join("/");
