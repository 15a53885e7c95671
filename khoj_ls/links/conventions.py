"""How the tool that a vault is written with makes its links work, as that tool's own settings say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from khoj_ls.links.edn import NotReadable, read_edn

Tool = Literal["obsidian", "logseq", "dendron", "foam", "plain"]
LinkStyle = Literal["wiki", "markdown"]
PathStyle = Literal["shortest", "relative", "absolute"]

SETTINGS_FILES = (
    ".obsidian/app.json",
    ".obsidian/daily-notes.json",
    "logseq/config.edn",
    "dendron.yml",
    ".vscode/settings.json",
    ".vscode/extensions.json",
)
"""Where the tools keep what is read here, relative to the vault."""

MARKERS = (".obsidian", "logseq", "dendron.yml", "root.schema.yml", ".foam")
"""Names in a vault's root by which a tool is known, besides its settings."""


@dataclass(frozen=True)
class Conventions:
    """What decides how the links of one vault are read and written."""

    tool: Tool = "plain"
    link_style: LinkStyle = "wiki"
    """What a new link between Markdown notes looks like."""
    path_style: PathStyle = "shortest"
    """How it names the note's place."""
    attachments: str = ""
    """Folder of attachments, relative to the vault; one that begins with `./` lies beside the note."""
    new_notes: str | None = None
    """Folder of new notes, relative to the vault; `./` is the folder of the note that links, None that no tool says."""
    pages: str = ""
    """Logseq: folder of its pages."""
    journals: str = ""
    """Folder of daily notes, relative to the vault; Dendron: the hierarchy (`daily.journal`)."""
    journal_name: str = ""
    """File name of a daily note without its suffix, in the tool's own date format: Moment's (Obsidian), Java's (Logseq),
    Luxon's (Dendron), dateformat's (Foam). Empty where the tool has none."""
    journal_title: str = ""
    """Logseq: the page title of a daily note."""
    journal_template: str = ""
    """Path of the template of daily notes; Logseq: the template's name."""
    vaults: tuple[str, ...] = ()
    """Dendron: folders of its vaults, relative to the workspace, without slashes at the ends."""
    format: Literal["markdown", "org"] = "markdown"
    """Of new notes."""

    @property
    def finds_by_name(self) -> bool:
        """Whether a Markdown link that leads to no file is looked up like a wikilink."""
        return self.tool in ("obsidian", "dendron")

    @property
    def paths_from_root(self) -> bool:
        """Whether a path may be written from the vault's root."""
        return self.tool in ("obsidian", "dendron", "logseq")

    def vault_of(self, path: str) -> str:
        """The Dendron vault that holds `path`; empty when none does."""
        return max((vault for vault in self.vaults if path.startswith(vault + "/")), key=len, default="")

    def attachment_folders(self) -> tuple[str, ...]:
        """Folders from the vault's root in which a bare file name is looked for."""
        return () if not self.attachments or self.attachments.startswith(".") else (self.attachments,)


PLAIN = Conventions()


@dataclass(frozen=True)
class SettingsProblem:
    """A file of the tool's settings that says nothing we can use."""

    path: str
    """Relative to the vault, posix."""
    line: int
    """1-based."""
    message: str
    """What is wrong with it, and what holds instead."""


def unusable(path: str, reason: str, line: int = 1) -> SettingsProblem:
    """The problem that the settings at `path` cannot be used for a `reason`."""
    return SettingsProblem(path, line, f"these settings decide how links work, but they {reason}: the tool's defaults hold")


def read_conventions(
    files: Mapping[str, bytes], present: Collection[str] = ()
) -> tuple[Conventions, tuple[SettingsProblem, ...]]:
    """What the settings in `files` (those of SETTINGS_FILES that are there) come to.

    `present` are names in the vault's root, by which a tool is known that left no settings. Never fails: what cannot be read is
    a problem, and the tool's defaults hold.
    """
    problems: list[SettingsProblem] = []
    settings = _Settings(files, problems)
    if ".obsidian" in present or any(name.startswith(".obsidian/") for name in files):
        found = _obsidian(settings.json(".obsidian/app.json"), settings.json(".obsidian/daily-notes.json"), files)
    elif "logseq" in present and "logseq/config.edn" in files:
        found = _logseq(settings.read("logseq/config.edn", read_edn))
    elif "dendron.yml" in files or "root.schema.yml" in present:
        found = _dendron(settings.read("dendron.yml", _yaml))
    else:
        vscode = settings.json(".vscode/settings.json")
        advised = settings.json(".vscode/extensions.json").get("recommendations") or ()
        is_foam = ".foam" in present or "foam.foam-vscode" in advised or any(name.startswith("foam.") for name in vscode)
        found = _foam(vscode) if is_foam else PLAIN
    return found, tuple(problems)


class _Settings:
    """The files, each read into a mapping; an empty one where that fails."""

    def __init__(self, files: Mapping[str, bytes], problems: list[SettingsProblem]) -> None:
        self._files, self._problems = files, problems

    def json(self, name: str) -> Mapping[str, Any]:
        return self.read(name, _json)

    def read(self, name: str, parse: Callable[[str], Any]) -> Mapping[str, Any]:
        if name not in self._files:
            return {}
        text = self._files[name].decode("utf-8-sig", errors="replace")
        try:
            value = parse(text) if text.strip() else {}
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", None) or error
            self._problems.append(unusable(name, f"cannot be read ({reason})", getattr(error, "lineno", 1)))
            return {}
        if value is None or isinstance(value, dict):
            return value or {}
        self._problems.append(unusable(name, "do not map names to values"))
        return {}


_LINE_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', re.S)
_LAST_COMMA = re.compile(r'("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])', re.S)


def _json(text: str) -> Any:
    """JSON, with the comments and trailing commas that VS Code allows."""
    without = _LINE_COMMENT.sub(lambda found: found[1] or " " + "\n" * found[0].count("\n"), text)
    return json.loads(_LAST_COMMA.sub(lambda found: found[1] or "", without))


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        reason = error.problem if isinstance(error, yaml.MarkedYAMLError) else str(error)
        raise NotReadable(" ".join(str(reason).split()), mark.line + 1 if mark else 1) from error


def _obsidian(app: Mapping[str, Any], daily: Mapping[str, Any], files: Mapping[str, bytes]) -> Conventions:
    """Obsidian's `app.json`; what it holds are the differences from the defaults."""
    attachments = _text(app, "attachmentFolderPath", "/")
    location = _text(app, "newFileLocation", "root")
    folders: dict[str, str | None] = {"root": "", "current": "./", "folder": _folder(_text(app, "newFileFolderPath"))}
    return Conventions(
        tool="obsidian",
        link_style="markdown" if app.get("useMarkdownLinks") is True else "wiki",
        path_style=_one_of(_text(app, "newLinkFormat"), _PATH_STYLES, "shortest"),
        attachments=attachments if attachments.startswith("./") else _folder(attachments),
        new_notes=folders.get(location, ""),
        journals=_folder(_text(daily, "folder")),
        journal_name=_text(daily, "format") or "YYYY-MM-DD",
        journal_template=_text(daily, "template"),
    )


def _logseq(config: Mapping[str, Any]) -> Conventions:
    pages = _folder(_text(config, ":pages-directory", "pages"))
    templates = config.get(":default-templates")
    return Conventions(
        tool="logseq",
        path_style="relative",
        attachments="assets",
        new_notes=pages,
        pages=pages,
        journals=_folder(_text(config, ":journals-directory", "journals")),
        journal_name=_text(config, ":journal/file-name-format") or "yyyy_MM_dd",
        journal_title=_text(config, ":journal/page-title-format") or _text(config, ":date-formatter") or "MMM do, yyyy",
        journal_template=_text(templates, ":journals") if isinstance(templates, dict) else "",
        format="org" if _text(config, ":preferred-format").lower() == "org" else "markdown",
    )


def _dendron(config: Mapping[str, Any]) -> Conventions:
    """Dendron's `dendron.yml` (versions 1 to 5): vaults and journal stand under `workspace`, once at the top."""
    workspace = config.get("workspace") if isinstance(config.get("workspace"), dict) else config
    vaults = workspace.get("vaults") if isinstance(workspace, dict) else None
    journal = workspace.get("journal") if isinstance(workspace, dict) else None
    journal = journal if isinstance(journal, dict) else {}
    domain, name = _text(journal, "dailyDomain", "daily"), _text(journal, "name", "journal")
    return Conventions(
        tool="dendron",
        attachments="assets",
        new_notes="./",
        journals=f"{domain}.{name}",
        journal_name=_text(journal, "dateFormat") or "y.MM.dd",
        vaults=tuple(_vault_folder(vault) for vault in vaults or () if isinstance(vault, dict) and _vault_folder(vault)),
    )


def _vault_folder(vault: Mapping[str, Any]) -> str:
    """Where the notes of a vault lie: a self-contained one keeps them in `notes/`."""
    folder = _folder(_text(vault, "fsPath"))
    return f"{folder}/notes".lstrip("/") if vault.get("selfContained") is True else folder


def _foam(settings: Mapping[str, Any]) -> Conventions:
    directory = _text(settings, "foam.openDailyNote.directory", "journals")
    plain = Conventions(tool="foam", new_notes="./", journals=_folder(directory))
    template = _text(settings, "foam.openDailyNote.titleFormat")
    name = _text(settings, "foam.openDailyNote.filenameFormat") or "isoDate"
    style: LinkStyle = "markdown" if _text(settings, "foam.completion.linkFormat") == "link" else "wiki"
    return replace(plain, link_style=style, journal_name=name, journal_title=template)


_PATH_STYLES: MappingProxyType[str, PathStyle] = MappingProxyType(
    {"shortest": "shortest", "relative": "relative", "absolute": "absolute"}
)


def _one_of(text: str, values: Mapping[str, PathStyle], default: PathStyle) -> PathStyle:
    return values.get(text, default)


def _text(values: Mapping[str, Any], name: str, default: str = "") -> str:
    value = values.get(name, default)
    return value.strip() if isinstance(value, str) else default


def _folder(text: str) -> str:
    """A folder relative to the vault, without slashes at its ends; the root is empty."""
    return "/".join(part for part in text.strip().split("/") if part not in ("", "."))
