"""window/workDoneProgress/cancel: the user stops what a progress display shows."""

from __future__ import annotations

from lsprotocol import types

from khoj_ls.lsp.server import KhojServer


def register(server: KhojServer) -> None:
    """Cancel the job behind a progress token."""

    @server.feature(types.WINDOW_WORK_DONE_PROGRESS_CANCEL)
    def cancel(params: types.WorkDoneProgressCancelParams) -> None:
        server.protocol.cancel_progress(params.token)
