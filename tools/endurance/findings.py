# SPDX-License-Identifier: Apache-2.0
"""What must be true after a long run, with what was seen."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    what: str
    holds: bool
    seen: str

    def __str__(self):
        return f"{'holds ' if self.holds else 'FAILED'}  {self.what}: {self.seen}"


def as_markdown(described, findings):
    lines = [f"{name}: {value}  " for name, value in described.items()]
    lines += ["", "| what must hold | holds | seen |", "| --- | --- | --- |"]
    lines += [f"| {f.what} | {'yes' if f.holds else '**no**'} | {f.seen} |" for f in findings]
    return "\n".join(lines) + "\n"


def told(counts):
    """A disturbance's counts on one line."""
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "nothing"
