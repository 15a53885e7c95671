"""`khoj-ls ARGUMENTS...` with vaults that hear of nothing: indexing and closing never end."""

from __future__ import annotations

import sys
import threading
from typing import Any

from khoj_ls.__main__ import main
from khoj_ls.vaults import OpenVaults
from khoj_ls.wire import operations


def forever(*arguments: Any) -> None:
    """Say that it has begun."""
    print("begun", flush=True)
    threading.Event().wait()


OpenVaults.close = forever  # type: ignore[method-assign]  # the stubborn one
reindex = next(operation for operation in operations.OPERATIONS if operation.name == "reindex")
object.__setattr__(reindex, "run", forever)
sys.argv[0] = "khoj-ls"
main()
