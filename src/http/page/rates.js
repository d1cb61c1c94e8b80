// SPDX-License-Identifier: Apache-2.0
// Means of counters over the last seconds, of what the page has seen of them.

const LONGEST = 60;

export class Rates {
  #samples = []; // { at, counters }, `at` in seconds of the agent's running

  /** `counters`: numbers by name. An agent that is younger than before begins anew. */
  add(at, counters) {
    const last = this.#samples.at(-1);
    if (last && at < last.at) this.#samples = [];
    if (last && at === last.at) return;
    this.#samples.push({ at, counters });
    while (this.#samples.length > 2 && this.#samples[1].at <= at - LONGEST) this.#samples.shift();
  }

  /** The mean a second over so many seconds; null until so long is known. */
  over(name, seconds) {
    const last = this.#samples.at(-1);
    const first = this.#samples.findLast(({ at }) => at <= last.at - seconds * 0.9);
    if (!first || !(name in first.counters) || !(name in last.counters)) return null;
    return (last.counters[name] - first.counters[name]) / (last.at - first.at);
  }
}
