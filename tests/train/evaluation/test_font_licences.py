"""Fonts by licence, however each package spells it."""

from pathlib import Path

import pytest

from scriptkd_train.evaluation import font_licences
from scriptkd_train.evaluation.font_licences import (
    GPL,
    GPL_WITH_EXCEPTION,
    OTHER,
    UNREAD,
    copyright_licences,
    debian_licences,
    family_of,
)

COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: fonts-example

Files: *
Copyright: 2011, somebody
License: {}

Files: debian/*
Copyright: 2011, somebody else
License: ISC

License: ISC
 Permission to use, copy, modify, under the GPL or not.
"""


@pytest.mark.parametrize(
    ("licence", "family"),
    [
        ("SIL Open Font License, Version 1.1", "OFL"),
        ("sil-1.1", "OFL"),
        ("GPL-3.0+ with Font Exception or OFL-1.1", "OFL"),
        ("GPL-2+FE", GPL_WITH_EXCEPTION),
        ("GPL-2.0-or-later WITH Font-exception-2.0 (font record)", GPL_WITH_EXCEPTION),
        ("AGPL-3 with Font exception", GPL_WITH_EXCEPTION),
        ("GPL-3+FontException", GPL_WITH_EXCEPTION),
        ("GPL-2-fonts-exception", GPL_WITH_EXCEPTION),
        ("GPL-2.0-or-later (font record)", GPL),
        ("GNU-GPL-3", GPL),
        ("GPL2+ with Autoconf exception", GPL),
        ("LGPL-2.1+", "LGPL"),
        ("Apache-2", "Apache"),
        ("Bitstream-Vera-Fonts", "MIT, BSD and the like"),
        ("IPA-1", OTHER),
    ],
)
def test_families(licence: str, family: str) -> None:
    assert family_of(licence) == family


def test_a_package_of_debian(tmp_path: Path) -> None:
    path = tmp_path / "copyright"
    for licence, families in (
        ("OFL-1.1", {"OFL"}),
        ("GPL-2+ with Font exception and OFL-1.1", {GPL_WITH_EXCEPTION, "OFL"}),
        ("GPL-2-and-LICENSE-BITSTREAM", {GPL, "MIT, BSD and the like"}),
    ):
        path.write_text(COPYRIGHT.format(licence))
        assert copyright_licences(path) == families
    path.write_text("This package was made by somebody. Its licence is the GPL, but for what is not.")
    assert copyright_licences(path) == {UNREAD} == copyright_licences(tmp_path / "missing")


def test_the_packages_that_hold_fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = [
        "fonts-one: /usr/share/fonts/one.ttf",
        "fonts-one: /usr/share/fonts/two.OTF",
        "fonts-two:amd64, fonts-three: /usr/share/fonts/three.ttc",
        "no-fonts: /usr/share/fonts/README",
    ]
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    (bin_folder / "dpkg-query").write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(listed) + "\nEND\n")
    (bin_folder / "dpkg-query").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}:/usr/bin:/bin")
    monkeypatch.setattr(font_licences, "_COPYRIGHTS", tmp_path)
    for name, licence in (("fonts-one", "OFL-1.1"), ("fonts-two", "GPL-2"), ("no-fonts", "MIT")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "copyright").write_text(COPYRIGHT.format(licence))
    assert debian_licences() == {"OFL": 1, GPL: 1, UNREAD: 1}
    monkeypatch.setenv("PATH", "")
    assert not debian_licences()
