// SPDX-License-Identifier: Apache-2.0
// What /status says, section by section.

import { by, fill, make, say, sayOrHide, write } from "./dom.js";
import { UNKNOWN, count, duration, megabits, percent, reading } from "./format.js";

const MEANINGS = {
  starting: "The agent has just started: its first answer is not due yet.",
  up: "The node takes new sessions.",
  down: "The node gets no new sessions.",
  drain: "The node keeps its sessions and gets no new ones.",
  maint: "The node is in maintenance and gets no new sessions.",
};

const WINDOWS = [2, 10, 60];

const list = (object) =>
  Object.entries(object)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");

const sorted = (limits) => Object.entries(limits);

function showAnswer(status) {
  const { state, weight, reason, reply, weighing, last_change: change } = status;
  say("state", state);
  by("state").dataset.state = state;
  say("weight", weight === null ? "" : `weight ${weight} %`);
  say("meaning", MEANINGS[state] ?? "");
  sayOrHide("reason", reason);
  say("explanation", weighing?.explanation ?? UNKNOWN);
  say("reply", reply ?? UNKNOWN);
  say("since", change ? [duration(change.age_seconds), change.reason].filter(Boolean).join(": ") : UNKNOWN);
  document.title = `${weight === null ? state : `${state} ${weight} %`} – ${location.hostname}`;
}

/** The bar is for the eye: the figure is beside it. */
function showBar(row, [name, limit], bottleneck) {
  const cell = row.cells[2];
  if (!cell.querySelector(".bar")) {
    const bar = make("span", { className: "bar" }, make("span"));
    bar.setAttribute("aria-hidden", "true");
    cell.replaceChildren(make("span", { className: "text" }), bar);
  }
  const used = limit.utilisation ?? 0;
  const bar = cell.querySelector(".bar");
  bar.hidden = limit.utilisation === null;
  bar.firstChild.style.width = `${Math.min(100, Math.max(0, used * 100))}%`;
  row.className = name === bottleneck ? "bottleneck" : "";
  row.dataset.level = used >= 1 ? "over" : used >= 0.8 ? "near" : "";
}

function limitRow([name, limit]) {
  const kind = limit.soft ? `${name} (soft)` : name;
  if (limit.maximum === null) return [kind, reading(limit), "off"];
  if (limit.unknown) return [kind, `unknown: ${limit.unknown}`, percent(limit.utilisation)];
  return [kind, reading(limit), percent(limit.utilisation)];
}

function showLimits({ limits, bottleneck }) {
  const entries = sorted(limits);
  const rows = entries.map(limitRow);
  fill(by("limits"), rows, (row, i) => {
    showBar(row, entries[i], bottleneck);
    write(row.cells[2].querySelector(".text"), rows[i][2]);
  });
  say("bottleneck", bottleneck ? `The bottleneck is ${bottleneck}: ${reading(limits[bottleneck])}.` : "No limit is checked.");
}

function showProfiles(profiles = {}) {
  const entries = Object.entries(profiles);
  by("profiles-section").hidden = !entries.length;
  const rows = entries.map(([name, answer]) => [
    name,
    answer.state,
    answer.weight === null ? UNKNOWN : `${answer.weight} %`,
    answer.bottleneck ? `${answer.bottleneck} ${percent(answer.limits[answer.bottleneck]?.utilisation)}` : UNKNOWN,
    list(answer.checks),
    answer.reason ?? answer.weighing?.explanation ?? "",
  ]);
  fill(by("profiles"), rows);
}

function showWcs(wcs) {
  const age = wcs.page_age_seconds === null ? "" : ` Its page is ${duration(wcs.page_age_seconds)} old.`;
  const answer = { true: "It answers.", false: `${wcs.fault_text ?? "It does not answer"}.`, null: "It was not asked yet." };
  say("wcs-state", answer[wcs.up] + age);
  by("wcs-state").className = wcs.up === false ? "warning" : "";
  const row = (name) => {
    const of = wcs.page[name];
    return [name, count(of.webrtc), count(of.rtmp), count(of.rtsp), count(wcs.merged[name]?.value)];
  };
  fill(by("wcs"), [row("publishers"), row("subscribers"), ["hls", "", "", "", count(wcs.merged.hls?.value)]]);
}

function showBandwidth(rates) {
  const row = (name) => [
    name,
    megabits(rates[`bits_${name}_per_second`]),
    megabits(rates[`peak_bits_${name}_per_second`]),
    percent(rates[`over_limit_${name}_ratio`]),
    count(Math.round(rates[`frames_${name}_per_second`] ?? NaN) || rates[`frames_${name}_per_second`]),
  ];
  fill(by("band"), [row("in"), row("out")]);
  const bucket = rates.peak_bucket_seconds;
  const peak = bucket === null ? "Peaks are not known." : `A peak is the highest within ${Math.round(bucket * 1000)} ms of the last second; over limit is the share of such times.`;
  say("bucket", `Mbit/s of the interfaces that the limits include. ${peak}`);
}

function showInterfaces(status, rates) {
  const row = (one) => [
    one.name,
    ...["receive", "transmit"].flatMap((way) =>
      WINDOWS.map((seconds) => {
        const bytes = rates.over(`${way} ${one.index}`, seconds);
        return megabits(bytes === null ? null : bytes * 8);
      }),
    ),
    one.chosen ? "included" : "",
    one.counted_by,
  ];
  fill(by("interfaces"), status.interfaces.map(row));
}

function showCpus(status, rates) {
  const row = ({ cpu }) => [String(cpu), ...WINDOWS.map((seconds) => percent(rates.over(`cpu ${cpu}`, seconds)))];
  fill(by("cpus"), status.cpus.map(row));
}

function showChecks({ agent, weighing }) {
  const { last_check: last, last_refused: refused } = agent;
  say("last-check", last ? `${last.source}, ${duration(last.age_seconds)} ago` : "nobody has asked yet");
  say("last-reply", last?.reply ?? UNKNOWN);
  say("checks", list(agent.checks));
  say("balancers", count(weighing?.balancers));
  say("last-refused", refused ? `${refused.source} at ${refused.port}, ${duration(refused.age_seconds)} ago` : "nobody");
}

function showAgent(status) {
  say("version", status.version);
  say("source", [status.source.name, status.source.detail].filter(Boolean).join(": "));
  say("uptime", duration(status.uptime_seconds));
  say("time", status.time);
  const { checks, last_check: check, last_refused: refused, ...counters } = status.agent;
  const numbers = Object.entries(counters).filter(([, value]) => typeof value === "number");
  say("counters", numbers.map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`).join(", "));
}

/** The counters of which the page makes rates, by the names that the sections ask for. */
export function countersOf(status) {
  const counters = {};
  for (const one of status.interfaces) {
    counters[`receive ${one.index}`] = one.receive_bytes;
    counters[`transmit ${one.index}`] = one.transmit_bytes;
  }
  for (const { cpu, busy_seconds: busy } of status.cpus) counters[`cpu ${cpu}`] = busy;
  return counters;
}

export function showStatus(status, rates) {
  showAnswer(status);
  showLimits(status);
  showProfiles(status.profiles);
  showWcs(status.wcs);
  showBandwidth(status.rates);
  showInterfaces(status, rates);
  showCpus(status, rates);
  showChecks(status);
  showAgent(status);
}
