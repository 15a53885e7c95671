"""Which files are indexed and which are left out, decided before a byte of them is read, each with its reason.

Rules in order of authority: what programs keep for themselves (`.git`, editor locks), the setting `index.ignore`,
`.khojignore` files, the settings of tools (`tool_files`), `.gitignore` files, hidden names. Among files of one kind the
deeper folder's has more to say, and in one file the later line. The same syntax says what is private: the setting
`index.private` and `.khojprivate` files, where neither takes back what the other says.
Syntax and scope: https://git-scm.com/docs/gitignore
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from khoj_ls.config.settings import IndexSettings
from khoj_ls.core.text import decode_source
from khoj_ls.indexing.patterns import RuleFile, Verdict, compile_rules
from khoj_ls.indexing.tool_files import TOOL_FILES

PRIVATE_FILE = ".khojprivate"
"""Name of files that say what below their folder never leaves the machine."""
IGNORE_FILES = (".khojignore", ".gitignore", PRIVATE_FILE)
"""Names of files that hold rules."""

_TOOL_FOLDERS = frozenset(
    (".git", ".hg", ".svn", ".jj", ".obsidian", ".trash", ".stversions", ".stfolder", "node_modules", "__pycache__", ".venv")
)
_TOOL_PATHS = frozenset(("logseq/bak", ".logseq/bak", "logseq/.recycle", ".logseq/.recycle"))
# Emacs locks `.#x` and autosaves `#x#`, backups `x~`, Vim swap files and its write test `4913`, LibreOffice locks.
_SCRATCH_FILE = re.compile(r"\.#.*|#.*#|.*~|\..*\.sw[a-p]|4913|\.~lock\..*#", re.DOTALL)

_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISCHR, "a device"),
)
NAMED = frozenset(("not-a-file", "symlink-dangling", "symlink-loop"))
"""Codes of what has the name of a note and can be none: it is named among the failures."""

_HEAD_BYTES = 8192
_MOST_COMPILED = 1000


@dataclass(frozen=True)
class Decision:
    """Whether a file is indexed, and why."""

    indexed: bool
    reason: str
    """One clause that completes "it is (not) indexed: ..."."""
    rule: str | None = None
    """The ignore rule that decided, as `notes/.gitignore:3: drafts/`."""
    code: str = ""
    """Stable short name of the reason: `ignored`, `hidden`, `too-large`, ..."""


INDEXED = Decision(True, "no rule leaves it out", None, "indexed")
_HIDDEN = Decision(False, "its name, or that of a folder above it, begins with a dot (see index.hidden)", None, "hidden")
_TOOL = Decision(False, "it belongs to a program, not to the notes", None, "built-in")
_SCRATCH = Decision(False, "it is an editor's lock, backup or autosave file", None, "built-in")
_UNSUPPORTED = Decision(False, "no content processor reads files of this kind", None, "unsupported")
_FOLDER = Decision(False, "it is no regular file but a folder; the notes in it are judged one by one", None, "folder")
_DUPLICATE = Decision(False, "it is a symbolic link into the vault; its target is indexed under its own name", None, "symlink")
_DUPLICATE_FOLDER = Decision(
    False, "it is a symbolic link to a folder of the vault; the notes there are indexed under their own names", None, "symlink"
)
_OUTSIDE_LINK = Decision(
    False, "it is a symbolic link that leads out of the vault, and none is followed: put the file itself here", None,
    "symlink-outside",
)  # fmt: skip
_OUTSIDE_FOLDER = Decision(
    False, "it is a symbolic link to a folder outside the vault, and none is followed: make that folder a vault of its own",
    None, "symlink-outside",
)  # fmt: skip
_DANGLING = Decision(
    False, "it is a symbolic link that leads nowhere: delete it, or bring its target back", None, "symlink-dangling"
)
_LOOP = Decision(False, "it is a symbolic link that leads back to itself: delete it", None, "symlink-loop")
_MISSING = Decision(False, "there is no such file", None, "missing")
_OUTSIDE = Decision(False, "it is outside the vault", None, "outside")
BINARY = Decision(False, "it holds NUL bytes and is no UTF-16: it is no text", None, "binary")
BAD_NAME = Decision(False, "its name is not valid UTF-8: rename it", None, "name")


def not_a_file(mode: int) -> Decision:
    """The decision on a pipe, socket or device with this `st_mode`."""
    kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "something that only the system reads")
    return Decision(False, f"it is no regular file but {kind}, which is never read", None, "not-a-file")


def too_large(size: int, limit: int) -> Decision:
    """The decision on a file of `size` bytes that is over `limit`."""
    reason = f"it has {size:,} bytes, more than the {limit:,} of index.max_file_bytes: split it, or raise the limit"
    return Decision(False, reason, None, "too-large")


def unreadable(error: OSError) -> Decision:
    """The decision on a file or folder that the system does not let us read."""
    return Decision(False, f"it cannot be read ({error.strerror or error}): check its permissions", None, "unreadable")


def _below(folder: str, decision: Decision) -> Decision:
    """The decision on what lies in `folder`, which is left out itself."""
    return replace(decision, reason=f"the folder {folder} above it is left out: {decision.reason}")


def is_binary(head: bytes) -> bool:
    """Whether a file that begins with `head` is no text: a NUL in the first 8 KB, and no UTF-16 byte order mark."""
    return b"\0" in head[:_HEAD_BYTES] and not head.startswith((b"\xff\xfe", b"\xfe\xff"))


def is_encodable(name: str) -> bool:
    """Whether a file name is valid UTF-8 and can be stored and shown."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def refused_name(name: str) -> bool:
    """Whether a folder or file of this name is left out wherever it stands: a cheap first sieve for change events."""
    return name in _TOOL_FOLDERS or _SCRATCH_FILE.fullmatch(name) is not None


@dataclass(frozen=True)
class Scope:
    """One folder with the rules that hold in it."""

    rules: IgnoreRules
    path: str
    """Relative to the vault, with a final slash; empty for the vault itself."""
    khoj: tuple[RuleFile, ...]
    git: tuple[RuleFile, ...]
    secret: tuple[RuleFile, ...] = ()
    """What `.khojprivate` files say."""
    private: bool = False
    """Whether a rule makes this folder private, and with it all that is in it."""

    def enter(self, name: str, present: Collection[str] = IGNORE_FILES) -> Scope:
        """The scope of a subfolder; `present` names what it holds, where that is known."""
        return self.rules.scope(f"{self.path}{name}/", self, present)

    def folder(self, name: str) -> Decision | None:
        """Why the subfolder `name` is left out; None when it is entered."""
        if name in _TOOL_FOLDERS or self.path + name in _TOOL_PATHS:
            return _TOOL
        return self._by_rule(name, f"{self.path}{name}/")

    def file(self, name: str) -> Decision | None:
        """Why the file `name` is left out by its name; None when nothing speaks against it."""
        if not name.lower().endswith(self.rules.extensions):
            return _UNSUPPORTED
        if (not name[0].isalnum() or name[-1] == "~") and _SCRATCH_FILE.fullmatch(name):
            return _SCRATCH
        return self._by_rule(name, self.path + name)

    def is_private(self, name: str) -> bool:
        """Whether a rule makes the file `name` private."""
        return self.private or self.rules.rules_private(self.path + name, self.secret)

    def by_rule(self, name: str) -> Decision | None:
        """Why the file `name`, of whatever kind, is left out by a rule; None when no rule is against it."""
        return _SCRATCH if _SCRATCH_FILE.fullmatch(name) else self._by_rule(name, self.path + name)

    def _by_rule(self, name: str, path: str) -> Decision | None:
        verdict = self._verdict(path)
        if verdict is not None and verdict.leave_out:
            return Decision(False, f"an ignore rule leaves it out: {verdict.rule}", verdict.rule, "ignored")
        if name[0] != "." or self.rules.hidden:
            return None
        # Whoever writes `!.plan.md` wants the hidden file; a .gitignore speaks of version control only.
        return None if verdict is not None and not verdict.from_git else _HIDDEN

    def _verdict(self, path: str) -> Verdict | None:
        rules = self.rules
        return _first_verdict((*rules.settings_rules, *self.khoj, *rules.tool_rules, *self.git), path)


def _everything(folder: str, name: str, why: str) -> RuleFile | None:
    """The rules of a file that cannot be read: they are not known, so nothing in its folder may be."""
    return compile_rules(f"{folder}{name} ({why})", folder, "*")


def _first_verdict(rule_files: Iterable[RuleFile], path: str) -> Verdict | None:
    return next((verdict for rule_file in rule_files if (verdict := rule_file.judge(path))), None)


class IgnoreRules:
    """The rules of one vault under its settings. Ignore files are read when a scope is made: a new pass sees them anew."""

    def __init__(self, root: Path, settings: IndexSettings, extensions: Iterable[str]) -> None:
        """Rules for the vault at `root`; `extensions` are the lower-case suffixes that some content processor reads."""
        self.root = root.resolve()
        self.extensions = tuple(sorted(extensions))
        self.hidden = settings.hidden
        self.max_file_bytes = settings.max_file_bytes
        rules = compile_rules("settings index.ignore", "", "\n".join(settings.ignore))
        self.settings_rules: tuple[RuleFile, ...] = (rules,) if rules else ()
        tools = compile_rules("settings of tools (built in)", "", "\n".join(TOOL_FILES))
        self.tool_rules: tuple[RuleFile, ...] = (tools,) if tools else ()
        secret = compile_rules("settings index.private", "", "\n".join(settings.private))
        self.settings_private: tuple[RuleFile, ...] = (secret,) if secret else ()
        self._names = tuple(name for name in IGNORE_FILES if settings.gitignore or name != ".gitignore")
        self._compiled: dict[tuple[str, bytes], RuleFile | None] = {}

    def top(self, present: Collection[str] = IGNORE_FILES) -> Scope:
        """The scope of the vault itself."""
        return self.scope("", None, present)

    def scope(self, path: str, above: Scope | None, present: Collection[str]) -> Scope:
        """The scope of the folder `path` (with a final slash), given the one above it."""
        khoj, git, secret = (above.khoj, above.git, above.secret) if above else ((), (), ())
        private = above is not None and (above.private or self.rules_private(path, secret))
        for name in self._names:
            if name in present and (rules := self._rule_file(path, name)):
                if name == ".gitignore":
                    git = (rules, *git)
                elif name == PRIVATE_FILE:
                    secret = (rules, *secret)
                else:
                    khoj = (rules, *khoj)
        return Scope(self, path, khoj, git, secret, private)

    def rules_private(self, path: str, secret: Iterable[RuleFile]) -> bool:
        """Whether the settings or the rule files `secret`, the deepest first, make `path` private (folders: a final slash)."""
        verdicts = (_first_verdict(self.settings_private, path), _first_verdict(secret, path))
        return any(verdict is not None and verdict.leave_out for verdict in verdicts)

    def is_private(self, path: str, known: dict[str, Scope | Decision] | None = None) -> bool:
        """Whether a rule makes the file `path` (relative, posix) private, or leaves out its folder. `known`: see `locate`."""
        folder, _, name = path.rpartition("/")
        scope = self.locate(folder, {} if known is None else known)
        return isinstance(scope, Decision) or scope.is_private(name)

    def locate(self, folder: str, known: dict[str, Scope | Decision]) -> Scope | Decision:
        """The scope of `folder` (relative, no final slash), or why it is left out. `known` holds what this pass has seen."""
        found = known.get(folder)
        if found is None:
            if not folder:
                found = self.top()
            else:
                above, _, name = folder.rpartition("/")
                scope = self.locate(above, known)
                found = scope if isinstance(scope, Decision) else self._enter(scope, name)
            known[folder] = found
        return found

    def by_name(self, path: str, known: dict[str, Scope | Decision]) -> Decision | None:
        """Why the file `path` (relative, posix) is left out, judged by names and folders alone; None when nothing does."""
        scope = self._scope_of(path, known)
        return scope if isinstance(scope, Decision) else scope.file(path.rpartition("/")[2])

    def by_rule(self, path: str) -> Decision | None:
        """As `by_name`, for a file of any kind: a picture, a program."""
        scope = self._scope_of(path, {})
        return scope if isinstance(scope, Decision) else scope.by_rule(path.rpartition("/")[2])

    def _scope_of(self, path: str, known: dict[str, Scope | Decision]) -> Scope | Decision:
        parts = path.split("/")
        if path.startswith("/") or "\0" in path or any(part in ("", ".", "..") for part in parts):
            return _OUTSIDE
        if not is_encodable(path):
            return BAD_NAME
        return self.locate(path.rpartition("/")[0], known)

    def by_stat(self, path: str, found: os.stat_result) -> Decision | None:
        """Why a file is left out for what it is: a link, a device, too large; None when nothing speaks against it."""
        if stat.S_ISLNK(found.st_mode):
            return self.link(path)
        if stat.S_ISDIR(found.st_mode):
            return _FOLDER
        if not stat.S_ISREG(found.st_mode):
            return not_a_file(found.st_mode)
        return too_large(found.st_size, self.max_file_bytes) if found.st_size > self.max_file_bytes else None

    def link(self, path: str) -> Decision:
        """The decision on the symbolic link `path`: none is followed."""
        try:
            target = (self.root / path).resolve(strict=True)
        except RuntimeError:  # how Python before 3.13 says ELOOP
            return _LOOP
        except OSError as error:
            return _LOOP if error.errno == errno.ELOOP else _DANGLING
        if target == self.root or self.root in target.parents:
            return _DUPLICATE_FOLDER if target.is_dir() else _DUPLICATE
        return _OUTSIDE_FOLDER if target.is_dir() else _OUTSIDE_LINK

    def why(self, path: str) -> Decision:
        """Whether the file `path` (relative, posix) is indexed, and why. Reads its first bytes when all else is in order."""
        if path in ("", "."):
            return _FOLDER
        decision = self.by_name(path, {})
        if decision is not None and decision.code != "unsupported":
            return decision
        full = self.root / path
        try:
            found = full.lstat()
            if decision is None or not stat.S_ISREG(found.st_mode):
                decision = self.by_stat(path, found)
            if decision is None:
                with open(full, "rb") as stream:
                    decision = BINARY if is_binary(stream.read(_HEAD_BYTES)) else None
        except FileNotFoundError:
            return decision or _MISSING
        except OSError as error:
            return unreadable(error)
        return decision or INDEXED

    def _enter(self, scope: Scope, name: str) -> Scope | Decision:
        path = scope.path + name
        decision = scope.folder(name)
        if decision is not None:
            return decision
        try:
            return _below(path, self.link(path)) if (self.root / path).is_symlink() else scope.enter(name)
        except OSError as error:  # a name longer than any file system takes
            return unreadable(error)

    def _rule_file(self, folder: str, name: str) -> RuleFile | None:
        path = self.root / folder / name
        try:
            # Like git, a rule file that is a link or no plain file is not followed.
            if not stat.S_ISREG(path.lstat().st_mode):
                return _everything(folder, name, "no plain file") if name == PRIVATE_FILE else None
            data = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            return _everything(folder, name, error.strerror or str(error))
        key = (folder + name, data)
        if key not in self._compiled:
            if len(self._compiled) >= _MOST_COMPILED:
                self._compiled.clear()
            self._compiled[key] = compile_rules(folder + name, folder, decode_source(data)[0])
        return self._compiled[key]
