"""A process that sends what waits for the webhook at the address it is given, until it is killed."""

from __future__ import annotations

import os
import sys
import threading

from khoj_ls.automation.sending import Pace
from khoj_ls.automation.webhooks import Webhooks
from khoj_ls.config.paths import folders
from khoj_ls.config.webhooks import Webhook

hooks = Webhooks(
    [Webhook(sys.argv[1], "WEBHOOK_KEY", ("index.completed",), "hook", True, False, 20, 0.3, ("127.0.0.1",))],
    folders(),
    os.environ,
    pace=Pace(first=0.01, factor=1.2, trip_after=3, open_for=0.05, longest=0.2, look=0.05),
)
hooks.start()
threading.Event().wait()
