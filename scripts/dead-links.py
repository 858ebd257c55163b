#!/usr/bin/env python3
"""Looks for dead links inside a folder of HTML pages: missing files and missing anchors.

    python3 scripts/dead-links.py build/site

Prints each and ends with status 1 if there are any. Resources that a page loads from another host are also errors.
Links to pages on other hosts are not checked.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """A page's anchors, its links, and the resources that it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.places: set[str] = {"", "top"}
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.places |= {found[key] or "" for key in ("id", "name") if key in found}
        if tag == "a":
            self.links += [found["href"] or ""] if "href" in found else []
        elif not (tag == "link" and found.get("rel") in ("canonical", "next", "prev", "alternate")):
            self.loads += [found[key] or "" for key in ("href", "src") if key in found]


def main(root: Path) -> int:
    pages = {path: Page(path) for path in sorted(root.rglob("*.html"))}
    if not pages:
        sys.exit(f"error: {root} holds no HTML pages")
    dead = 0
    for path, page in pages.items():
        if path.name == "404.html":
            continue  # served at any address, so its links start at the host's root
        for link in dict.fromkeys(page.links + page.loads):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                wrong = "loads from another host" if link in page.loads and parts.scheme != "data" else ""
            else:
                target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
                target = target / "index.html" if target.is_dir() else target
                wrong = "" if target.is_file() else "no such file"
                if not wrong and target.suffix == ".html":
                    there = pages[root / target.relative_to(root.resolve())]
                    wrong = "" if unquote(parts.fragment) in there.places else "no such place in that page"
            if wrong:
                dead += 1
                print(f"{path.relative_to(root)}: {link}: {wrong}")
    print(f"{len(pages)} pages, {dead} dead links")
    return 1 if dead else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
