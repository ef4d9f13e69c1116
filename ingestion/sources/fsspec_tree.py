"""Lists and fetches the files of a folder, a bucket, a share or a web folder through fsspec."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from contracts import Description, InvalidInputError, ListedFile, Listing
from ingestion.sources.yaml_descriptions import FOLDER_FILE, SUFFIXES, described_file, read_description

IGNORE_FILE = ".footnoteignore"
# What programs leave in folders; a line such as `!node_modules/` in an ignore file takes one in.
_NEVER_MEANT = ("__pycache__/", "node_modules/", "*.pyc", "~$*", "Thumbs.db", "desktop.ini")
# "created" is the time of the last change of a local file's inode, which nobody can set
_CONTENT_SIGNS = ("ETag", "etag", "md5Hash", "checksum", "version_id", "generation")
_SIGNS = (*_CONTENT_SIGNS, "mtime", "LastModified", "last_modified", "updated", "created", "ino")


class FsspecTree:
    """Port `SourceTree` for a path on this machine or a URL that fsspec knows, such as s3://bucket/folder.

    Hidden files are left out, and so is what a folder's own `.footnoteignore` names, in the syntax of `.gitignore`.
    Names are absolute paths, or URLs without user and password. Raises InvalidInputError when `location` is empty.
    """

    def __init__(self, location: str) -> None:
        if not location:
            raise InvalidInputError("A path is empty; '.' is this folder.")
        location = location.removeprefix("file://")
        self._local = "://" not in location
        self._location = _absolute(location) if self._local else location
        self._shown = self._location if self._local else _without_user(location)
        self._opened: tuple[Any, str] | None = None
        self._is_folder = True

    @property
    def root(self) -> str:
        """What the names of all its files start with; known once `list` was awaited."""
        return self._shown.rstrip("/") + "/" if self._is_folder else self._shown

    async def list(self) -> Listing:
        """Return its files. Raises InvalidInputError when it does not exist or cannot be reached."""
        return await asyncio.to_thread(self._list)

    async def fetch(self, name: str, scratch: Path) -> Path:
        """Return where the bytes of a file are: the file itself, or a copy of a remote one. Raises OSError."""
        if self._local:
            return Path(name)
        return await asyncio.to_thread(self._download, name, scratch / "fetched")

    def _list(self) -> Listing:
        files: list[ListedFile] = []
        unreadable: dict[str, str] = {}
        try:
            fs, path = self._open()
            fs.invalidate_cache()
            if not fs.exists(path):
                raise InvalidInputError(f"{self._shown!r} does not exist.")
            self._is_folder = fs.isdir(path)
            if self._is_folder:
                files.extend(self._walk(fs, path, self._said_above(fs, path), unreadable))
            else:
                files.append(self._single(fs, path))
        except InvalidInputError:
            raise
        except ImportError as exc:
            raise InvalidInputError(f"{self._shown!r} needs another package: {exc}.") from exc
        except Exception as exc:  # each file system has errors of its own
            raise InvalidInputError(f"{self._shown!r} cannot be read: {_reason(exc)}.") from exc
        return Listing(tuple(files), unreadable)

    def _open(self) -> tuple[Any, str]:
        import fsspec

        if self._opened is None:
            fs, path = fsspec.core.url_to_fs(self._location)
            self._opened = fs, path if path == "/" else path.rstrip("/")
        return self._opened

    def _walk(self, fs: Any, folder: str, inherited: Description, unreadable: dict[str, str]) -> Iterator[ListedFile]:
        """Yield the files below `folder`; a folder below it that cannot be read is noted."""
        entries = {_base(info["name"]): info for info in fs.ls(folder, detail=True) if self._is_entry(info["name"])}
        if FOLDER_FILE in entries:
            inherited = self._described(fs, entries[FOLDER_FILE]["name"], inherited)
        ignored = self._ignored(fs, entries)
        for base, info in sorted(entries.items()):
            is_folder = info["type"] == "directory"
            if not base or base.startswith(".") or ignored(f"{base}/" if is_folder else base):
                continue
            if not is_folder:
                is_file = info["type"] == "file" or (info.get("islink") and fs.isfile(info["name"]))
                if is_file and described_file(base) is None:
                    yield self._listed(fs, info, entries, inherited)
            elif not info.get("islink"):  # a link could lead back up, and round for ever
                try:
                    yield from self._walk(fs, info["name"].rstrip("/"), inherited, unreadable)
                except OSError as exc:
                    unreadable[self._name(info["name"]).rstrip("/") + "/"] = _reason(exc)

    def _single(self, fs: Any, path: str) -> ListedFile:
        folder = path.rpartition("/")[0] or "/"
        try:
            entries = {_base(info["name"]): info for info in fs.ls(folder, detail=True)}
        except Exception:  # not every web server lists its folders
            entries = {}
        inherited = self._said_above(fs, folder)
        if FOLDER_FILE in entries:
            inherited = self._described(fs, entries[FOLDER_FILE]["name"], inherited)
        return self._listed(fs, fs.info(path), entries, inherited)

    def _said_above(self, fs: Any, folder: str) -> Description:
        """Return what the folders above say of all below them: it holds too when one of these is synced by itself. Web
        servers are not asked, for many answer with a page whatever they are asked for."""
        said = Description()
        if self._on_the_web():
            return said
        for above in reversed(PurePosixPath(folder).parents):
            place = str(above / FOLDER_FILE)
            if above.name + above.root and fs.isfile(place):  # above a bucket there is nothing
                said = self._described(fs, place, said)
        return said

    def _on_the_web(self) -> bool:
        return urlsplit(self._location).scheme in ("http", "https")

    def _is_entry(self, path: str) -> bool:
        """Return whether a listed path is in its folder: pages of web servers also link to their parents, and to
        themselves in another order."""
        return not self._on_the_web() or not ("?" in _base(path) or "/../" in path)

    def _listed(
        self, fs: Any, info: Mapping[str, Any], entries: Mapping[str, Any], inherited: Description
    ) -> ListedFile:
        path = info["name"]
        beside = next((entries[name] for suffix in SUFFIXES if (name := _base(path) + suffix) in entries), None)
        description = self._described(fs, beside["name"], inherited) if beside else inherited
        if not any(sign in info for sign in _SIGNS):
            info = {**info, **_asked(fs, path)}
        signs = [f"{sign}={info[sign]}" for sign in _SIGNS if info.get(sign)]
        fingerprint = " ".join([f"size={info.get('size')}", *signs]) if signs else ""
        return ListedFile(self._name(path), fingerprint, description)

    def _described(self, fs: Any, path: str, base: Description) -> Description:
        return read_description(fs.cat_file(path), self._name(path), base)

    def _ignored(self, fs: Any, entries: Mapping[str, Any]) -> Any:
        from pathspec import GitIgnoreSpec

        raw = fs.cat_file(entries[IGNORE_FILE]["name"]) if IGNORE_FILE in entries else b""
        return GitIgnoreSpec.from_lines([*_NEVER_MEANT, *raw.decode(errors="replace").splitlines()]).match_file

    def _name(self, path: str) -> str:
        if self._local:
            return path
        if "://" in path:
            return _without_user(path)
        return posixpath.join(self._shown.rstrip("/"), path[len(self._open()[1]) :].lstrip("/")).rstrip("/")

    def _download(self, name: str, target: Path) -> Path:
        fs, root = self._open()
        inside = name[len(self._shown.rstrip("/")) :]
        path = root.rstrip("/") + inside
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            fs.get_file(path, str(target))
        except OSError:
            raise
        except Exception as exc:
            raise OSError(_reason(exc)) from exc
        return target


def _asked(fs: Any, path: str) -> Mapping[str, Any]:
    """Return what the file system says of one file where its listings say little, as on the web."""
    try:
        return dict(fs.info(path))
    except Exception:
        return {}


def _absolute(path: str) -> str:
    try:
        return str(Path(path).expanduser().resolve())
    except RuntimeError as exc:  # "~somebody" without such a user
        raise InvalidInputError(f"{path!r} does not exist: {exc}") from exc


def _base(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
