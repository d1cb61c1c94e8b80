// SPDX-License-Identifier: Apache-2.0
// Asks the agent once a second, as long as somebody may be looking.

import { by, say } from "./dom.js";
import { clock } from "./format.js";
import { History } from "./history.js";
import { Plots } from "./plots.js";
import { Rates } from "./rates.js";
import { countersOf, showStatus } from "./sections.js";

const EVERY = 1000; // ms, from one answer to the next question
const TIMEOUT = 5000; // ms

const history = new History();
const rates = new Rates();
const plots = new Plots(by("plots"));
let paused = false;
let timer = null;
let asking = false;
let lastState = null;
let lastAnswer = null;

/** Without the password that this page's own address may have: none may be asked for with one. */
function address(path) {
  const url = new URL(path, location.href);
  url.username = url.password = "";
  return url;
}

async function ask(path) {
  const response = await fetch(address(path), { signal: AbortSignal.timeout(TIMEOUT), cache: "no-store" });
  if (response.ok) return response.json();
  const reasons = { 401: "The agent wants a password: load this page anew.", 503: "The agent has no sample yet." };
  throw new Error(reasons[response.status] ?? `The agent answers ${response.status} to ${path}.`);
}

/** The one live region: it speaks when something changes, not every second. */
function announce(status) {
  const wasAway = document.body.classList.contains("stale");
  if (status.state !== lastState || wasAway) {
    say("connection", lastState === null ? "" : `${wasAway ? "The agent answers again. " : ""}The node is ${status.state}.`);
  }
  document.body.classList.remove("stale");
  lastState = status.state;
  lastAnswer = Date.now();
}

function complain(error) {
  const isOwn = error instanceof Error && error.message.startsWith("The agent");
  const what = isOwn ? error.message : "The agent does not answer.";
  const age = lastAnswer === null ? "" : ` What is shown is of ${clock(lastAnswer)}.`;
  say("connection", `${what}${age} Asking again every second.`);
  document.body.classList.add("stale");
}

async function turn() {
  timer = null;
  asking = true;
  try {
    const [status, page] = await Promise.all([ask("status"), ask(history.path)]);
    rates.add(status.uptime_seconds, countersOf(status));
    history.add(page);
    showStatus(status, rates);
    plots.update(history);
    announce(status);
  } catch (error) {
    complain(error);
  }
  asking = false;
  schedule(EVERY);
}

function schedule(delay) {
  clearTimeout(timer);
  timer = null;
  if (!paused && !document.hidden && !asking) timer = setTimeout(turn, delay);
}

by("host").textContent = location.host;
by("no-plots").hidden = Boolean(globalThis.Dygraph);
by("pause").addEventListener("click", ({ currentTarget: button }) => {
  paused = !paused;
  button.setAttribute("aria-pressed", String(paused));
  document.body.classList.toggle("paused", paused);
  schedule(0);
});
document.addEventListener("visibilitychange", () => schedule(0));
schedule(0);
