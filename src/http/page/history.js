// SPDX-License-Identifier: Apache-2.0
// The last minutes, of /history: all of it once, then what is new.

const LEAST = 120; // seconds

export class History {
  #page = null;
  #times = [];

  /** The path that brings what is missing. */
  get path() {
    return this.#page ? `history?since=${this.#page.last}` : "history";
  }

  /** Takes in an answer. One that does not go on where this ended replaces it: the agent had more to say, or is
   * one of another machine's start. */
  add(page) {
    const now = this.#page;
    const goesOn = now && page.first === now.last + 1;
    const isLater = now && page.last > now.last && page.first > now.last && page.first - now.last < page.capacity_points;
    if (goesOn) {
      this.#append(page, []);
    } else if (isLater) {
      this.#append(page, Array(page.first - now.last - 1).fill(null));
    } else {
      this.#page = page;
    }
    this.#times = [];
  }

  #append(page, gap) {
    const now = this.#page;
    const length = page.capacity_points;
    const series = {};
    for (const [name, values] of Object.entries(page.series)) {
      series[name] = [...(now.series[name] ?? []), ...gap, ...values].slice(-length);
    }
    const last = Math.max(page.last, now.last);
    this.#page = { ...page, series, last, first: last - series.weight.length + 1 };
  }

  /** When each second began, in milliseconds of Unix time. */
  get times() {
    const { first, last, last_time_seconds: lastTime } = this.#page;
    if (!this.#times.length) {
      this.#times = Array.from({ length: last - first + 1 }, (_, i) => (lastTime - (last - first - i)) * 1000);
    }
    return this.#times;
  }

  /** The moments that a plot shows, from and to: what there is, and two minutes at least. */
  get span() {
    const { first, last, last_time_seconds: lastTime } = this.#page;
    return [(lastTime - Math.max(last - first, LEAST)) * 1000, lastTime * 1000];
  }

  values(name) {
    return this.#page.series[name];
  }

  /** By second, whether the node was anything but up. */
  get outages() {
    const up = this.#page.states.indexOf("up");
    return this.values("state").map((state) => state !== null && state !== up);
  }
}
