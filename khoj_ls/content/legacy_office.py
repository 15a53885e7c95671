"""Files of office programs of long ago: named, with what to do about them."""

from __future__ import annotations

from pathlib import PurePosixPath
from types import MappingProxyType

from khoj_ls.content.refusal import Refused
from khoj_ls.content.rtf import RtfProcessor
from khoj_ls.core.types import ParsedFile

_TODAY = MappingProxyType(
    {
        ".doc": ("Word 97 to 2003", ".docx"),
        ".xls": ("Excel 97 to 2003", ".xlsx"),
        ".xlt": ("Excel 97 to 2003", ".xlsx"),
        ".xlsb": ("Excel's binary format", ".xlsx"),
        ".ppt": ("PowerPoint 97 to 2003", ".pptx"),
        ".pps": ("PowerPoint 97 to 2003", ".pptx"),
    }
)
"""Who wrote files of this suffix, and the suffix to save them under. Not `.dot` and `.pot`: others use them."""


class LegacyOfficeProcessor:
    """Reads no file of its formats, and says how to make one that is read. RTF that calls itself `.doc` is read."""

    name = "legacy-office"
    extensions: tuple[str, ...] = tuple(_TODAY)
    priority = 0
    binary = True
    path_matters = True

    def parse(self, data: bytes, path: str) -> ParsedFile:
        """Parse `data` if it is RTF. Raises Refused for all else, with what to do by the suffix of `path`."""
        if data.startswith(b"{\\rtf"):
            return RtfProcessor().parse(data, path)
        program, today = _TODAY.get(PurePosixPath(path).suffix.lower(), ("Office 97 to 2003", "a format of today"))
        raise Refused("legacy-format", f"files of {program} are not read: open it and save it as {today}")
