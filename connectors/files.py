"""Files that nobody else reads: folders 0700, files 0600, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.errors import ConfigurationError


def private_folder(folder: Path) -> Path:
    """`folder`, made 0700 with all above it that is missing; one that exists keeps its mode."""
    if not folder.is_dir():
        private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)  # whatever the umask was
    return folder


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A new file beside `path` to write; it takes `path`'s place when the block ends well.

    It is 0600 from the first byte and on the disk before it is renamed, so that a crash leaves the
    old file or the new one, never a half. ConfigurationError where the folder can't be written.
    """
    try:
        private_folder(path.parent)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise ConfigurationError(
            f"{path} can't be written: {error.strerror}", mend="Name a folder that is yours."
        ) from error
    os.close(handle)
    fresh = Path(name)
    try:
        yield fresh
        on_the_disk(fresh)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def on_the_disk(path: Path) -> None:
    """Returns when the file's content, or the folder's list of names, would outlast a crash."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
