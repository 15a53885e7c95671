"""What `quiet_homes` finds at the end of a session."""

from __future__ import annotations

import pytest
from daemon_logs import stray_errors

LOG = """\
2026-03-01 09:30:00,001 INFO khoj_ls.daemon.server: ERROR is a word in a name
2026-03-01 09:30:00,002 ERROR khoj_ls.daemon.rpc: crash failed
  File "x.py", line 7, in work
ValueError
2026-03-01 09:30:00,003 WARNING khoj_ls.vaults: not so bad
2026-03-01 09:30:00,004 CRITICAL khoj_ls.daemon: the daemon fails
"""
CRASH = """2026-03-01 09:30:00,002 ERROR khoj_ls.daemon.rpc: crash failed
  File "x.py", line 7, in work
ValueError"""
FAILS = "2026-03-01 09:30:00,004 CRITICAL khoj_ls.daemon: the daemon fails"
JSON = '{"time": "2026-03-01T09:30:00.004+00:00", "level": "error", "logger": "khoj_ls.vaults", "message": "no"}'


@pytest.mark.parametrize(
    ("log", "expected", "found"),
    [
        (LOG, [], [CRASH, FAILS]),
        (LOG, ["daemon fails"], [CRASH]),
        (LOG, ["ValueError", "CRITICAL"], []),
        (JSON, [], [JSON]),
        (JSON.replace("error", "warning"), [], []),
        ("", [], []),
    ],
)
@pytest.mark.parametrize("name", ["daemon.log", "daemon.log.2"])
def test_errors_that_nobody_expects_are_told_with_their_traces(log, expected, found, name, tmp_path):
    (tmp_path / "one" / "state").mkdir(parents=True)
    log_file = tmp_path / "one" / "state" / name
    log_file.write_text(log)
    told = stray_errors([tmp_path / "one", tmp_path / "without_a_daemon"], expected)
    assert told == [f"{log_file}:\n{error}" for error in found]
