# SPDX-License-Identifier: Apache-2.0
"""A picture of what a terminal shows, drawn by Chromium from the screen's text and its colours."""

import html
import re
import subprocess

COLOURS = ("#2e3436", "#f26d6d", "#7bd88f", "#f2c76b", "#7aa8f7", "#c792ea", "#6fd3d3", "#d6d9df")
BRIGHT = ("#7a828c", *COLOURS[1:])
TEXT, BACKGROUND = "#d6d9df", "#16191f"
CELL_WIDTH, CELL_HEIGHT, MARGIN = 9, 19, 12


def _style(attributes):
    front, back = attributes.get("front", TEXT), attributes.get("back", BACKGROUND)
    if "reverse" in attributes:
        front, back = back, front
    weight = "bold" if "bold" in attributes else "normal"
    opacity = "0.6" if "dim" in attributes else "1"
    return f"color:{front};background:{back};font-weight:{weight};opacity:{opacity}"


def _applied(attributes, code):
    """The attributes after one code of a sequence of SGR, as far as eight colours and their bright ones go."""
    changed = dict(attributes)
    if code == 0:
        return {}
    if code in (1, 2, 7):
        changed[{1: "bold", 2: "dim", 7: "reverse"}[code]] = True
    elif 30 <= code <= 37:
        changed["front"] = COLOURS[code - 30]
    elif 40 <= code <= 47:
        changed["back"] = COLOURS[code - 40]
    elif 90 <= code <= 97:
        changed["front"] = BRIGHT[code - 90]
    elif code == 22:
        changed = {key: value for key, value in changed.items() if key not in ("bold", "dim")}
    elif code in (27, 39, 49):
        changed.pop({27: "reverse", 39: "front", 49: "back"}[code], None)
    return changed


def _line(text):
    """Each character in a cell of its own, so that no font moves a bar or a spark."""
    cells, attributes, column = [], {}, 0
    for part in re.split(r"(\x1b\[[\d;]*m)", text):
        if part.startswith("\x1b["):
            for code in part[2:-1].split(";"):
                attributes = _applied(attributes, int(code or 0))
            continue
        for character in part:
            at = f"left:{column * CELL_WIDTH}px;{_style(attributes)}"
            cells.append(f'<i style="{at}">{html.escape(character)}</i>')
            column += 1
    return f"<p>{''.join(cells)}</p>"


def draw(screen, file, columns, rows):
    """screen: as `tmux capture-pane -epN` prints it; file: a PNG of so many columns and rows."""
    width, height = columns * CELL_WIDTH + 2 * MARGIN, rows * CELL_HEIGHT + 2 * MARGIN
    page = file.with_suffix(".html")
    page.write_text(
        f"""<!doctype html><meta charset="utf-8"><style>
        body {{ margin: {MARGIN}px; background: {BACKGROUND}; font: 15px/{CELL_HEIGHT}px "DejaVu Sans Mono"; }}
        p {{ margin: 0; height: {CELL_HEIGHT}px; position: relative; }}
        i {{ position: absolute; width: {CELL_WIDTH}px; height: {CELL_HEIGHT}px; font-style: normal; overflow: hidden; }}
        </style>{"".join(map(_line, screen.splitlines()))}"""
    )
    try:
        subprocess.run(
            ["/usr/bin/chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--user-data-dir={file.parent / 'picture-profile'}", f"--window-size={width},{height}",
             f"--screenshot={file}", f"file://{page}"],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
    finally:
        page.unlink()
