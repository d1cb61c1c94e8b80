# SPDX-License-Identifier: Apache-2.0
"""What a benchmark found: figures with their targets, as JSON and as markdown."""

import json
from dataclasses import dataclass, field

MET, MISSED, NOT_MEASURED, TOLD = "met", "missed", "could not be measured", "no target"


@dataclass(frozen=True)
class Figure:
    """One row: what is measured, in which unit, and what it has to be."""

    key: str
    title: str
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    def target(self):
        if self.at_least is not None:
            return f"at least {with_unit(self.at_least, self.unit)}"
        if self.at_most is not None:
            return f"at most {with_unit(self.at_most, self.unit)}"
        return ""

    def verdict(self, value):
        if self.at_least is not None:
            return MET if value >= self.at_least else MISSED
        if self.at_most is not None:
            return MET if value <= self.at_most else MISSED
        return TOLD


def number(value):
    """Three significant digits, more only where they are before the point."""
    if value == 0:
        return "0"
    digits = 3 if abs(value) < 1 else max(0, 3 - len(str(int(abs(value)))))
    if abs(value) < 0.1:
        return f"{value:.2g}" if abs(value) < 0.001 else f"{value:.4f}".rstrip("0")
    return f"{value:,.{digits}f}"


def with_unit(value, unit):
    text = number(value) if isinstance(value, float) else f"{value:,}"
    return f"{text} {unit}".strip()


@dataclass
class Row:
    """A figure with its value: the median over the rounds."""

    figure: Figure
    value: float | None = None
    detail: str = ""
    samples: dict = field(default_factory=dict)  # every round, by what was measured
    why: str = ""  # it could not be measured

    @property
    def verdict(self):
        return NOT_MEASURED if self.value is None else self.figure.verdict(self.value)

    def as_json(self):
        return {
            "key": self.figure.key,
            "title": self.figure.title,
            "unit": self.figure.unit,
            "value": self.value,
            "target": self.figure.target(),
            "verdict": self.verdict,
            "why": self.why,
            "detail": self.detail,
            "samples": self.samples,
        }

    def as_markdown(self):
        value = "" if self.value is None else with_unit(float(self.value), self.figure.unit)
        verdict = {
            MET: "met",
            MISSED: "**missed**",
            TOLD: "",
            NOT_MEASURED: f"{NOT_MEASURED}: {self.why}",
        }[self.verdict]
        cells = (self.figure.title, value, self.figure.target(), verdict, self.detail)
        escaped = [cell.replace("|", "\\|").replace("\n", " ") for cell in cells]
        return f"| {' | '.join(escaped)} |"


@dataclass
class Section:
    """One benchmark with its rows."""

    name: str
    title: str
    rows: dict  # by key
    seconds: float = 0.0

    @classmethod
    def of(cls, case):
        return cls(case.NAME, case.TITLE, {figure.key: Row(figure) for figure in case.FIGURES})


def as_json(machine, quick, sections):
    return json.dumps(
        {
            "machine": machine,
            "quick": quick,
            "benchmarks": [
                {
                    "name": section.name,
                    "title": section.title,
                    "seconds": round(section.seconds, 1),
                    "rows": [row.as_json() for row in section.rows.values()],
                }
                for section in sections
            ],
        },
        indent=1,
    )


def as_markdown(machine, quick, sections):
    lines = [f"{name}: {value}  " for name, value in machine.items()]
    if quick:
        lines += ["", "The quick form: few rounds, so take the figures for what they are."]
    for section in sections:
        lines += [
            "",
            f"### {section.name}: {section.title}",
            "",
            "| figure | value | target | verdict | detail |",
            "| --- | --- | --- | --- | --- |",
            *(row.as_markdown() for row in section.rows.values()),
        ]
    return "\n".join(lines) + "\n"
