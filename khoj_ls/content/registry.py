"""Which content processor reads which file, and the one way to call it that cannot fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import PurePosixPath
from types import MappingProxyType

from khoj_ls.content.admission import parsed_apart, processor_fault
from khoj_ls.content.refusal import Refused
from khoj_ls.core.protocols import ContentProcessor, Needs
from khoj_ls.core.types import GIVEN_UP, Entry, ParsedFile, Problem
from khoj_ls.plugins.hookspecs import hookimpl
from khoj_ls.plugins.manager import NO_PLUGINS, PluginManager, PluginProblem, plugin_manager


class ProcessorRegistry:
    """Content processors by file extension. Immutable."""

    def __init__(
        self,
        processors: Sequence[ContentProcessor],
        problems: Sequence[PluginProblem] = (),
        *,
        origins: Mapping[int, str] = MappingProxyType({}),
        plugins: PluginManager = NO_PLUGINS,
    ) -> None:
        """Register `processors`: for one extension the highest priority wins, among equals the later.

        `origins` names the plugin of a processor by its id(), `plugins` those that have their say on what is indexed.
        """
        ranked = sorted(processors, key=lambda processor: processor.priority)
        self._ranked, self._origins, self._plugins = tuple(ranked), MappingProxyType(dict(origins)), plugins
        self._by_extension = MappingProxyType(
            {extension.lower(): processor for processor in ranked for extension in processor.extensions}
        )
        self._missing = MappingProxyType({id(processor): missing_for(processor) for processor in ranked})
        self.problems = tuple(problems)
        """Plugins that are left out, for `doctor` and the log."""

    def for_path(self, path: str) -> ContentProcessor | None:
        """The processor for the file at `path` (posix): the longest suffix that one serves; None when nobody reads it."""
        name = PurePosixPath(path).name.lower()
        dot = name.find(".", 1)
        while dot > 0:
            if processor := self._by_extension.get(name[dot:]):
                return processor
            dot = name.find(".", dot + 1)
        return None

    def reader(self, path: str) -> str:
        """Names what would read the file at `path` now: another name means that it would be read differently."""
        processor = self.for_path(path)
        if processor is None:
            return ""
        version = getattr(processor, "version", 1)
        missing = " missing" if self._missing[id(processor)] else ""
        marks = filter(None, (self._plugins.mark(self.origin(processor)), self._plugins.index_mark))
        return " ".join((f"{processor.name} {version}{missing}", *marks))

    def missing(self, processor: ContentProcessor) -> tuple[str, ...]:
        """The modules that one of its processors needs and that were not installed when the registry was made."""
        return self._missing[id(processor)]

    def origin(self, processor: ContentProcessor) -> str:
        """The plugin that brings a processor; empty for a built-in one."""
        return self._origins.get(id(processor), "")

    def contenders(self, extension: str) -> tuple[ContentProcessor, ...]:
        """All that would serve an extension, the one that does first."""
        return tuple(each for each in reversed(self._ranked) if extension in map(str.lower, each.extensions))

    def extensions(self) -> frozenset[str]:
        """Every suffix that is served, lower case, with the dot."""
        return frozenset(self._by_extension)

    def processors(self) -> tuple[ContentProcessor, ...]:
        """Those that serve an extension, by name."""
        serving = {id(processor): processor for processor in self._by_extension.values()}
        return tuple(sorted(serving.values(), key=lambda processor: processor.name))

    def types(self) -> tuple[str, ...]:
        """Names of the content types that are made, sorted."""
        return tuple(sorted({processor.name for processor in self._by_extension.values()}))


class _BuiltinProcessors:
    """The formats that come with the program, through the door that plugins use."""

    def __init__(self, on_read: Callable[[], None]) -> None:
        """`on_read` is called by those that take minutes for a file, whenever they have got on."""
        self._on_read = on_read

    @hookimpl
    def khoj_content_processors(self) -> list[ContentProcessor]:
        """All of them, those too whose packages are not installed; pictures only where something reads them."""
        from khoj_ls.content.asciidoc import AsciiDocProcessor
        from khoj_ls.content.code import code_processors
        from khoj_ls.content.csv_table import CsvProcessor
        from khoj_ls.content.data_text import data_processors
        from khoj_ls.content.docx import DocxProcessor
        from khoj_ls.content.epub import EpubProcessor
        from khoj_ls.content.feed import FeedProcessor
        from khoj_ls.content.html import HtmlProcessor
        from khoj_ls.content.image import image_processors
        from khoj_ls.content.latex import LatexProcessor
        from khoj_ls.content.legacy_office import LegacyOfficeProcessor
        from khoj_ls.content.mail import MailProcessor
        from khoj_ls.content.markdown import MarkdownProcessor
        from khoj_ls.content.notebook import NotebookProcessor
        from khoj_ls.content.ocr import installed_ocr
        from khoj_ls.content.odp import OdpProcessor
        from khoj_ls.content.ods import OdsProcessor
        from khoj_ls.content.odt import OdtProcessor
        from khoj_ls.content.org import OrgProcessor
        from khoj_ls.content.pdf import PdfProcessor
        from khoj_ls.content.plaintext import PlainTextProcessor
        from khoj_ls.content.pptx import PptxProcessor
        from khoj_ls.content.rst import RstProcessor
        from khoj_ls.content.rtf import RtfProcessor
        from khoj_ls.content.xlsx import XlsxProcessor

        ocr = installed_ocr(self._on_read)
        return [
            OrgProcessor(),
            MarkdownProcessor(),
            PlainTextProcessor(),
            PdfProcessor(ocr),
            *image_processors(ocr),
            HtmlProcessor(),
            EpubProcessor(),
            NotebookProcessor(),
            RstProcessor(),
            AsciiDocProcessor(),
            LatexProcessor(),
            MailProcessor(),
            FeedProcessor(),
            CsvProcessor(),
            *data_processors(),
            DocxProcessor(),
            PptxProcessor(),
            XlsxProcessor(),
            OdtProcessor(),
            OdsProcessor(),
            OdpProcessor(),
            RtfProcessor(),
            LegacyOfficeProcessor(),
            *code_processors(),
        ]


def default_registry(
    plugins: PluginManager | None = None, *, third_party: bool = True, on_read: Callable[[], None] = lambda: None
) -> ProcessorRegistry:
    """Built-in processors and those of `plugins`; without any, and if `third_party`, those of installed packages.

    What a plugin brings that cannot be used is among the problems. `on_read` is called by built-in processors that take minutes
    for a file, whenever they have got on.
    """
    others = plugins or (plugin_manager([]) if third_party else NO_PLUGINS)
    # Without the time limit of others: on a busy machine they would be missing, and every file with them.
    built_in = plugin_manager([_BuiltinProcessors(on_read)], third_party=False).manager.hook.khoj_content_processors()
    items, problems = others.collect("khoj_content_processors")
    processors: list[ContentProcessor] = [processor for brought in built_in for processor in brought]
    origins: dict[int, str] = {}
    rejected: list[PluginProblem] = []
    for name, item in items:
        if fault := processor_fault(item):
            rejected.append(PluginProblem(name, fault))
        else:
            processors.append(item)
            origins[id(item)] = name
    return ProcessorRegistry(processors, (*others.problems, *problems, *rejected), origins=origins, plugins=others)


def missing_for(processor: ContentProcessor) -> tuple[str, ...]:
    """The modules that a processor needs and that are not installed."""
    needs: Needs | None = getattr(processor, "needs", None)
    return tuple(module for module in needs.modules if not _is_there(module)) if needs else ()


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # its parent is not there, or it is half installed
        return False


def parse_file(registry: ProcessorRegistry, data: bytes, path: str, *, seconds: float | None = None) -> ParsedFile:
    """Parse the file at `path` (relative, posix) with the processor for it. Never raises.

    What the processor needs and is not installed is an error Problem with the command that installs it.
    A processor that raises, or whose entries do not lie in the source one behind the other, costs the file its entries: they
    would corrupt the index. The error Problem names the processor. A plugin's has `seconds` for it, where they are given.
    """
    processor = registry.for_path(path)
    if processor is None:
        return _failed("", "no-processor", f"no content processor reads files like {PurePosixPath(path).name!r}")
    if missing := registry.missing(processor):
        return _failed(processor.name, "missing-extra", _install(processor, missing))
    try:
        of_plugin = bool(registry.origin(processor))
        parsed = parsed_apart(processor, data, path, seconds) if of_plugin else processor.parse(data, path)
        fault = places_fault(parsed.entries)
    except Refused as refusal:
        return _failed(processor.name, refusal.code, str(refusal))
    except MemoryError:
        what = "reading the file takes more memory than a parser may have (index.parser_memory_mb); split it"
        return _failed(processor.name, GIVEN_UP, what)
    except Exception as error:  # noqa: BLE001 - the boundary to processors of others; the file's Problem tells the user
        what = f"the {processor.name} processor failed with {type(error).__name__}: {error}; please report it"
        return _failed(processor.name, "processor-failed", what)
    if fault:
        what = f"the {processor.name} processor gave wrong places ({fault}); please report it"
        return _failed(processor.name, "processor-spans", what)
    return parsed


def _install(processor: ContentProcessor, missing: Sequence[str]) -> str:
    needs: Needs = processor.needs  # type: ignore[attr-defined]  # optional: not in the protocol, and there where it is missed
    return f"reading {processor.name} files needs {', '.join(missing)}: pip install '{needs.extra}'"


def _failed(type_: str, code: str, message: str) -> ParsedFile:
    return ParsedFile(type_, None, (), problems=(Problem("error", code, message),))


def places_fault(entries: Sequence[Entry]) -> str | None:
    """What is wrong with the places of `entries`; None when they follow each other and hold what they say."""
    byte = line = first = 0
    for at, entry in enumerate(entries):
        span = entry.span
        is_piece = first == line == span.line == span.end_line > 0  # of a long line, as the one before it
        if not (byte <= span.start <= span.end and (line < span.line <= span.end_line or is_piece)):
            return f"entry {at} overlaps the one before it"
        if len(entry.raw.encode()) != span.end - span.start:
            return f"entry {at} has {len(entry.raw.encode())} bytes of source in a span of {span.end - span.start}"
        if entry.parent is not None and not 0 <= entry.parent < at:
            return f"entry {at} comes before its parent"
        byte, line, first = span.end, span.end_line, span.line
    return None
