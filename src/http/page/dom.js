// SPDX-License-Identifier: Apache-2.0
// Writing to the page, as text alone: names and reasons are others' words.

export const by = (id) => document.getElementById(id);

/** An element with these properties; its children are elements or texts. */
export function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** What is the same stays untouched, for those who are reading or marking it. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const say = (id, text) => write(by(id), text);

/** Shows the text, or nothing at all where there is none. */
export function sayOrHide(id, text) {
  by(id).hidden = !text;
  say(id, text ?? "");
}

/** Makes the rows of a table's body these: each a list of texts, of which the first names the row. */
export function fill(body, rows, decorate = () => {}) {
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((texts, place) => {
    const row = body.rows[place] ?? body.insertRow();
    while (row.cells.length < texts.length) {
      row.append(row.cells.length ? make("td") : make("th", { scope: "row" }));
    }
    texts.forEach((text, i) => {
      const cell = row.cells[i];
      write(cell.querySelector(".text") ?? cell, text);
    });
    decorate(row, place);
  });
}
