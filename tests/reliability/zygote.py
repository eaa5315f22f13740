"""A process that has imported everything and forks a child for each command that is asked for.

So a command is a real process, with its own memory, files and signals, that begins its work in
milliseconds: killing one two hundred times takes a minute instead of ten.

Reads a line of JSON for each request, writes one for each answer:
{"start": {...}} forks and answers {"pid": n};
{"poll": n} answers {"code": n or null, "megabytes": n}.
"""

from __future__ import annotations

import gc
import importlib
import json
import logging
import os
import pkgutil
import resource
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


#: What isn't ours and is imported late: when something is first asked of it.
LATE = (
    *("ibis.backends.duckdb", "ibis.expr.types.groupby", "ibis.formats.pyarrow"),
    *("pandas", "pyarrow.dataset", "pyarrow.pandas_compat", "pyarrow.parquet", "scipy.optimize"),
    *("oauthlib.oauth1", "rich._emoji_codes", "typer._adapters"),
)
#: Packages that an extra has to be installed for, or that no command works with.
APART = ("connectors.spark", "connectors.sandbox")
WISHES = (signal.SIGINT, signal.SIGTERM)


def warm() -> Any:
    """All that a command imports, now or later; no thread is started by it."""
    sys.path.insert(0, str(ROOT))
    import sync

    for name in (*LATE, *_ours()):
        importlib.import_module(name)
    _say()
    gc.collect()
    gc.freeze()  # what a child only reads stays its parent's memory
    return sync


def _say() -> None:
    """The SQL that commands ask in, the same for every one of them."""
    from connectors.store import saying, tables
    from connectors.store.reading import Asked

    saying.orders("net")
    for currency in (None, "EUR"):  # the shop's only one, or one of several
        like = saying.any_like(Asked("eu", saying.DAY, "net", currency))
        for with_traits in (False, True):
            saying.valued(like, with_traits)
            saying.told(like, with_traits)
        for of_one in (saying.refunds_after, saying.traits_of_sample, saying.excluded):
            of_one(like)
    for of_all in (saying.persons, saying.first_orders, saying.traits, saying.superseded):
        of_all()
    saying.purchase_days()
    saying.currencies()
    tables.sql(tables.guests(tables.stored()))
    tables.latest_sql()


def _ours() -> Iterator[str]:
    for room in ("clv", "connectors", "jobs"):
        for found in pkgutil.walk_packages([str(ROOT / room)], f"{room}."):
            if not found.name.startswith(APART):
                yield found.name


def child(sync: Any, asked: Mapping[str, Any]) -> None:
    """Becomes the command; never returns."""
    code = 70
    try:
        _place(asked)
        _hurry(asked)
        sync.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _place(asked: Mapping[str, Any]) -> None:
    """Where the command runs, and as who."""
    for number in WISHES:
        signal.signal(number, signal.SIG_DFL)  # until the command sets its own
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WISHES)
    os.umask(asked.get("umask", 0o022))
    for descriptor, path in ((0, os.devnull), (1, asked["out"]), (2, asked["err"])):
        flags = os.O_RDWR if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, descriptor)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["sync.py", *asked["arguments"]]
    if asked.get("largest_file"):
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["largest_file"], hard))
    if asked.get("user"):
        os.setgid(asked["user"])
        os.setuid(asked["user"])
    if asked.get("debug"):
        logging.basicConfig(level=logging.DEBUG)


def _hurry(asked: Mapping[str, Any]) -> None:
    """Shorter waits between tries, smaller batches (`sizes`: "module:name" -> number).

    So a test of many failures ends soon, and a small shop takes many steps.
    """
    from connectors.http import Retry, door, wire

    if asked.get("hurry"):
        door.Http.__init__.__kwdefaults__["retry"] = Retry(
            attempts=12, first_wait=0.01, longest_wait=0.05
        )
    if asked.get("timeouts"):
        wire.TIMEOUTS = tuple(asked["timeouts"])  # type: ignore[assignment]
    for place, value in asked.get("sizes", {}).items():
        module, _, names = place.partition(":")
        owner: Any = importlib.import_module(module)
        *within, name = names.split(".")
        for one in within:
            owner = getattr(owner, one)
        assert hasattr(owner, name), place
        setattr(owner, name, value)


def main() -> None:
    sync = warm()
    answers = os.fdopen(os.dup(1), "w")
    _tell(answers, {"ready": os.getpid()})
    for line in sys.stdin:
        asked = json.loads(line)
        if "start" in asked:
            signal.pthread_sigmask(signal.SIG_BLOCK, WISHES)  # the child isn't a command yet
            pid = os.fork()
            if not pid:
                child(sync, asked["start"])
            signal.pthread_sigmask(signal.SIG_UNBLOCK, WISHES)
            _tell(answers, {"pid": pid})
        else:
            _tell(answers, _ended(asked["poll"]))


def _ended(pid: int) -> dict[str, int | None]:
    """The exit code, negative for a signal, None while it runs; and the most memory in MB."""
    found, status, used = os.wait4(pid, os.WNOHANG)
    code = os.waitstatus_to_exitcode(status) if found else None
    return {"code": code, "megabytes": used.ru_maxrss // 1024}


def _tell(answers: Any, told: Mapping[str, Any]) -> None:
    answers.write(json.dumps(told) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
