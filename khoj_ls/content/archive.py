"""ZIP files, read within limits: a small file may hold gigabytes, or names that lead elsewhere."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from khoj_ls.content.refusal import Refused

MOST_BYTES = 200_000_000
"""Of all members that are read together, unpacked."""
MOST_MEMBERS = 20_000
_PIECE = 1 << 16


class Archive:
    """The members of a ZIP file, by name. Nothing is written anywhere, so that names lead nowhere."""

    def __init__(self, data: bytes, *, most_bytes: int = MOST_BYTES) -> None:
        """Open `data`. Raises Refused where it is no ZIP file, is encrypted, or has too many members."""
        self._left = most_bytes
        self._most = most_bytes
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, struct.error) as error:
            raise Refused("damaged", f"the file is damaged: it cannot be unpacked ({error})") from error
        members = self._zip.infolist()
        if len(members) > MOST_MEMBERS:
            raise Refused("too-large", f"the file holds {len(members):,} others: no document needs more than {MOST_MEMBERS:,}")
        if any(member.flag_bits & 1 for member in members):
            raise Refused("encrypted", "the file is encrypted: save it without a password")
        # Not is_dir(): it fails on an empty name.
        self._names = {member.filename for member in members if member.filename and not member.filename.endswith("/")}

    def __contains__(self, name: str) -> bool:
        """Whether there is such a member."""
        return name in self._names

    def names(self) -> tuple[str, ...]:
        """Names of all members that are files, sorted."""
        return tuple(sorted(self._names))

    def read(self, name: str) -> bytes:
        """A member, unpacked. Raises Refused where it is not there, damaged, or more than the limit for all together."""
        pieces = []
        try:
            # What a member says of its size may be wrong: what is unpacked is counted.
            with self._zip.open(name) as member:
                while piece := member.read(_PIECE):
                    self._left -= len(piece)
                    if self._left < 0:
                        most = f"{self._most // 1_000_000:,} MB"
                        raise Refused("too-large", f"the file unpacks to more than {most}: split it, or leave it out")
                    pieces.append(piece)
        except KeyError as error:
            raise Refused("damaged", f"the file is damaged: it has no {name}") from error
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            raise Refused("damaged", f"the file is damaged: {name} cannot be unpacked ({error})") from error
        return b"".join(pieces)
