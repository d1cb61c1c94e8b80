# SPDX-License-Identifier: Apache-2.0
"""What a source of this tree includes from it, and what has changed in it; see tools/lint and tools/test."""
import functools
import json
import pathlib
import re
import shlex
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
_INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.MULTILINE)


def compile_commands(build, generated=False):
    """The command for each source that the project has; what the build makes itself is left out unless wanted."""
    rows = json.loads((build / "compile_commands.json").read_text())
    commands = {}
    for row in rows:
        file = pathlib.Path(row["file"])
        if generated or build not in file.parents:
            commands[file] = row.get("arguments") or shlex.split(row["command"])
    return dict(sorted(commands.items()))


@functools.cache
def _includes(file):
    return _INCLUDE.findall(file.read_text(errors="replace"))


def include_folders(command):
    """Those below ROOT, the build's with the generated headers among them."""
    words = [*command, ""]
    folders = []
    for word, following in zip(words, words[1:]):
        path = following if word in ("-I", "-isystem") else word[2:] if word.startswith("-I") else ""
        if path.startswith(str(ROOT)):
            folders.append(pathlib.Path(path))
    return tuple(dict.fromkeys(folders))


def files_of(source, folders):
    """The source and all files of the tree that it includes, however deep, whatever #if says."""
    seen, waiting = set(), [source]
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for name in _includes(file):
            found = (folder / name for folder in (file.parent, *folders))
            waiting += [path.resolve() for path in found if path.is_file()][:1]
    return seen


def _git(*arguments):
    done = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def base_of_changes():
    """Where this work began: where it left the branch that it follows (or main), else the last tag, else the
    last commit."""
    for branch in ("@{upstream}", "origin/HEAD", "origin/main", "main"):
        if base := _git("merge-base", "HEAD", branch):
            return base
    return _git("describe", "--tags", "--abbrev=0") or "HEAD"


def changed_files(base):
    """What differs from that revision, untracked files too; None if git does not know it."""
    lists = (
        _git("diff", "--name-only", "--no-renames", base, "--"),
        _git("ls-files", "--others", "--exclude-standard"),
    )
    if None in lists:
        return None
    return {ROOT / name for text in lists for name in text.splitlines()}
