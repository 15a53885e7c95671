"""What every room's tests may use: the prepared model, and a private home for the program's own files."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import pytest
from daemon_logs import stray_errors
from hypothesis import settings
from hypothesis.internal.conjecture import providers
from loopback_only import Children, loopback_only

from khoj_ls.config.settings import EmbeddingSettings

# The same examples at every run, so that a change is judged by what it changed. `HYPOTHESIS_PROFILE=default` tries new ones.
# Without a deadline: how long an example takes says most of what else the machine does.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
if settings.get_current_profile_name() == "repeatable":
    # Constants of whichever modules happen to be imported by now would be tried, too: other examples in other orders of tests.
    providers._get_local_constants = lambda: providers._local_constants


@pytest.fixture(scope="session", autouse=True)
def children(tmp_path_factory):
    """The processes that tests start: those that this process's environment is given to, daemons and workers among them."""
    return Children(os.environ, tmp_path_factory.mktemp("children") / "tried")


@pytest.fixture(autouse=True)
def stays_on_this_machine(children):
    """No test connects to another machine: it would fail at once, and again here if what it tests bears that.

    What a daemon does that outlives its test is told by a later one.
    """
    with loopback_only() as tried:
        yield
    tried += children.tried()
    assert not tried, f"connections to other machines were tried: {tried}"


@pytest.fixture(scope="session")
def quiet_homes(request):
    """A list for the homes whose daemons log no error, but for those that tests cause on purpose (`daemon_errors`).

    It is looked into at the end of the session. With KHOJ_LS_LOGS=strict the last test of it is told to have failed, else the
    errors are warnings: most are of one in some thousand tests that were interrupted at the right moment, and not of the last.
    """
    homes = []
    yield homes
    markers = [marker for item in request.session.items for marker in item.iter_markers("daemon_errors")]
    stray = stray_errors(homes, {pattern for marker in markers for pattern in marker.args})
    told = "daemons logged errors that no test expects:\n\n" + "\n\n".join(stray)
    if stray and os.environ.get("KHOJ_LS_LOGS") == "strict":
        pytest.fail(told, pytrace=False)
    elif stray:
        warnings.warn(told, stacklevel=1)


@pytest.fixture(scope="session")
def prepared_models(request):
    """Folder with the default model prepared, made once and kept between runs (`pytest --cache-clear` makes it anew)."""
    from khoj_ls.embed.service import EncoderService

    folder = request.config.cache.mkdir("khoj-models")
    service = EncoderService(EmbeddingSettings(), folder)
    service.prepare()
    service.close()
    return folder


@pytest.fixture(scope="session")
def home(tmp_path_factory, prepared_models, quiet_homes):
    """KHOJ_LS_HOME of the test session: its own settings, data and daemon, with the model prepared. The daemon ends with it."""
    folder = tmp_path_factory.mktemp("home")
    quiet_homes.append(folder)
    (folder / "data").mkdir()
    (folder / "data" / "models").symlink_to(prepared_models)
    before = os.environ.get("KHOJ_LS_HOME")
    os.environ["KHOJ_LS_HOME"] = str(folder)
    yield folder
    subprocess.run([sys.executable, "-m", "khoj_ls", "daemon", "stop"], check=False, capture_output=True)
    if before is None:
        del os.environ["KHOJ_LS_HOME"]
    else:
        os.environ["KHOJ_LS_HOME"] = before
