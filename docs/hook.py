"""MkDocs' hook: the site's pages are the repository's own documents, under the same paths.

The navigation in mkdocs.yml names pages by their path from the repository's root. These pages, and all files that they
link to, become part of the site, so that links work as in the repository. The address of a page in docs/ omits `docs/`.
The browser page that `make web` builds in build/web becomes /demo/.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "build" / "web"
LINK = re.compile(r"\[([^\[\]]*)\]\(([^()\s#]+)(#[^()\s]*)?\)")  # Markdown's: label, path, anchor


def on_files(files: Files, config: Any) -> Files:
    """Replace the files of docs/ by the navigation's pages and all files that these link to."""
    for file in list(files.documentation_pages()) + files.media_files():
        if file.src_dir == config.docs_dir:
            files.remove(file)
    waiting = list(_pages(config.nav))
    while waiting:
        path = waiting.pop()
        if path in files.src_uris or not (ROOT / path).is_file():
            continue  # MkDocs reports missing files
        files.append(_file(config, path, ROOT / path))
        if path.endswith(".md"):
            links = LINK.findall((ROOT / path).read_text("utf-8"))
            waiting += [_target(path, link) for _, link, _ in links if "://" not in link]
    if not (DEMO / "index.html").is_file():
        raise PluginError("build/web has no page for /demo/: run scripts/docs.sh, which builds it")
    for part in sorted(DEMO.rglob("*")):
        if part.is_file():
            files.append(_file(config, f"demo/{part.relative_to(DEMO).as_posix()}", part))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Redirect links to a folder to its README. If it has none, only the link's label stays."""

    def page_of(found: re.Match[str]) -> str:
        label, link, place = found.groups(default="")
        folder = ROOT / posixpath.dirname(page.file.src_uri) / link
        if not folder.is_dir():
            return found[0]
        return f"[{label}]({link.rstrip('/')}/README.md{place})" if (folder / "README.md").is_file() else label

    return LINK.sub(page_of, markdown)


def _pages(nav: Any) -> Iterator[str]:
    """Yield all paths of a navigation."""
    if isinstance(nav, str):
        yield nav
    else:
        for entry in nav.values() if isinstance(nav, dict) else nav:
            yield from _pages(entry)


def _target(page: str, link: str) -> str:
    """Return a link's target as a path from the repository's root. For a folder it is the README."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), link))
    return f"{path}/README.md" if (ROOT / path).is_dir() else path


def _file(config: Any, path: str, content: Path) -> File:
    file = File.generated(config, path, abs_src_path=str(content))
    file.dest_uri = file.dest_uri.removeprefix("docs/")
    return file
