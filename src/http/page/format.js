// SPDX-License-Identifier: Apache-2.0
// Figures as people read them. What is not known is a dash.

export const UNKNOWN = "–";

const known = (value) => value !== null && value !== undefined;

/** Three digits where there are that many, and no more than two decimals. */
export function figure(value) {
  if (!known(value)) return UNKNOWN;
  const size = Math.abs(value);
  const decimals = Number.isInteger(value) || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toFixed(decimals);
}

export const count = (value) => (known(value) ? String(Math.round(value * 100) / 100) : UNKNOWN);

export const percent = (ratio) => (known(ratio) ? `${(ratio * 100).toFixed(1)} %` : UNKNOWN);

export const megabits = (bits) => (known(bits) ? figure(bits / 1e6) : UNKNOWN);

const UNITS = { percent: " %", megabits_per_second: " Mbit/s", streams: "", number: "" };

/** "75 of 100 Mbit/s"; bandwidth as a share of the link with that share. */
export function reading({ value, maximum, unit, share, at_least: isPart }) {
  const of = known(maximum) ? ` of ${figure(maximum)}` : "";
  const link = known(share) ? ` (${figure(share)} % of the link)` : "";
  return `${isPart ? "at least " : ""}${figure(value)}${of}${UNITS[unit] ?? ""}${link}`;
}

/** "8 s", "3 min 20 s", "2 h 5 min", "4 d 3 h". */
export function duration(seconds) {
  if (!known(seconds)) return UNKNOWN;
  const whole = Math.floor(seconds);
  const parts = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([size]) => size > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([size]) => size > 0)
    .map(([size, unit]) => `${size} ${unit}`)
    .join(" ");
}

export const clock = (milliseconds) => new Date(milliseconds).toLocaleTimeString([], { hour12: false });

export const minute = (milliseconds) =>
  new Date(milliseconds).toLocaleTimeString([], { hour12: false, hour: "2-digit", minute: "2-digit" });
