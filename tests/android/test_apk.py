"""The Android demo's APK is built, unpacked and compared with its sources. It is never run here."""

import hashlib
import os
import re
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build" / "android"
SOURCES = ROOT / "android-demo" / "app" / "src" / "main"
ABIS = {"arm64-v8a": 183, "armeabi-v7a": 40, "x86_64": 62}  # and ELF's number of the processor
TOOLS = ("javac", "mvn", "aapt", "zipalign", "apksigner", "dexdump")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() != 0 and not all(map(shutil.which, TOOLS)),
        reason=f"needs {', '.join(TOOLS)}, or root to install them",
    ),
]


def build(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "android-demo/build.sh"], capture_output=True, text=True, check=False, env=os.environ | environment
    )


@pytest.fixture(scope="session")
def apk() -> Path:
    result = build()
    if result.returncode == 75:  # something could not be downloaded
        pytest.skip(result.stderr)
    assert result.returncode == 0, result.stdout + result.stderr
    (path,) = OUT.glob("*.apk")
    return path


@pytest.fixture(scope="session")
def archive(apk: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(apk)


@pytest.fixture(scope="session")
def manifest(apk: Path) -> str:
    return run("aapt", "dump", "xmltree", apk, "AndroidManifest.xml")


def run(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_manifest_says_what_the_app_is(manifest: str, apk: Path) -> None:
    badging = run("aapt", "dump", "badging", apk)
    assert "package: name='org.scriptkd.demo'" in badging
    assert "sdkVersion:'26'" in badging
    assert "targetSdkVersion:'36'" in badging
    assert "application-label:'scriptkd'" in badging
    assert re.findall("launchable-activity: name='(.*?)'", badging) == ["org.scriptkd.demo.MainActivity"]
    # Nothing leaves the phone, and photos come through other apps: only the live view needs a permission.
    assert re.findall("uses-permission[^:]*: name='(.*?)'", badging) == ["android.permission.CAMERA"]
    assert "application-debuggable" not in badging


def test_only_the_main_screen_is_open_to_other_apps(manifest: str) -> None:
    components = re.split(r"\n      E: ", manifest)[1:]
    name, exported = r'android:name\(\w+\)="(.*?)"', r"android:exported\(\w+\)=\(type 0x12\)(\w+)"
    open_to_others = {re.findall(name, each)[0]: re.findall(exported, each)[0] for each in components}
    assert open_to_others == {
        ".MainActivity": "0xffffffff",
        ".BenchmarkActivity": "0x0",
        ".LiveActivity": "0x0",
        ".PhotoProvider": "0x0",
    }


def test_every_model_is_the_one_that_the_sdk_brings_along(archive: zipfile.ZipFile) -> None:
    models = {path.name: path for path in (ROOT / "sdk/scriptkd_sdk/models").glob("*.onnx")}
    assert "student.onnx" in models
    models["fp32-for-tests.onnx"] = ROOT / "sdk/contract/golden/fp32.onnx"
    packaged = {Path(name).name: name for name in archive.namelist() if name.startswith("assets/models/")}
    assert set(packaged) == set(models)
    for name, path in models.items():
        assert sha256(archive.read(packaged[name])) == sha256(path.read_bytes()), name


def test_the_text_detector_is_the_browser_pages(archive: zipfile.ZipFile) -> None:
    packaged = {Path(name).name: name for name in archive.namelist() if name.startswith("assets/detector/")}
    if not packaged:
        pytest.skip("the text detector could not be downloaded: this app finds no words itself")
    (pinned,) = re.findall(r'SHA256 = "(\w{64})"', (ROOT / "sdk/web/detector.mjs").read_text())
    assert set(packaged) == {"PP-OCRv6_det_small.onnx", "LICENSE.txt", "NOTICE.txt"}
    assert sha256(archive.read(packaged["PP-OCRv6_det_small.onnx"])) == pinned
    assert archive.read(packaged["LICENSE.txt"]) == (ROOT / "LICENSE").read_bytes()
    assert "PaddleOCR" in archive.read(packaged["NOTICE.txt"]).decode()


def test_without_the_text_detector_the_build_goes_on(tmp_path: Path) -> None:
    """What build.sh calls: another checkout, where neither an environment nor Python's pip has the file."""
    for name in ("android-demo/detector.mjs", "sdk/web/detector.mjs", "LICENSE"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    result = subprocess.run(
        ["node", tmp_path / "android-demo/detector.mjs", tmp_path / "out"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    assert result.returncode == 75
    assert result.stderr.startswith(
        "the text detector, in the Python package rapidocr 3.10.0, could not be downloaded: "
    )
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_every_class_that_is_named_is_there(archive: zipfile.ZipFile, manifest: str) -> None:
    defined, named = dex_classes(archive.read("classes.dex"))
    ours = {name for name in named if name.startswith(("org/scriptkd/", "ai/onnxruntime/"))}
    assert ours <= defined
    for component in re.findall(r'android:name\(\w+\)="(\.\w+)"', manifest):
        assert "org/scriptkd/demo/" + component[1:] in defined
    for layout in SOURCES.glob("res/layout*/*.xml"):
        for view in re.findall(r"<((?:\w+\.)+\w+)", layout.read_text()):
            assert view.replace(".", "/") in defined, layout
    # What the system provides: Android's own classes, and Java's.
    (framework,) = (ROOT / "build/maven").glob("android-all-*.jar")
    android = {name.removesuffix(".class") for name in zipfile.ZipFile(framework).namelist()}
    others = named - ours
    missing = {name for name in others if not name.startswith(("java/", "dalvik/")) and name not in android}
    assert missing == set()
    assert len(defined) > 100


def test_no_lambdas(apk: Path) -> None:
    """Android has no LambdaMetafactory: the dexer must have taken all of them away, onnxruntime's too."""
    code = run("dexdump", "-d", apk)
    assert "invoke-virtual" in code
    assert "invoke-custom" not in code and "invoke-polymorphic" not in code


def test_the_native_libraries(apk: Path, archive: zipfile.ZipFile) -> None:
    libraries: dict[tuple[str, str], bytes] = {}
    for name in archive.namelist():
        if name.startswith("lib/"):
            _, abi, library = name.split("/")
            libraries[abi, library] = content = archive.read(name)
            assert content[:4] == b"\x7fELF"
            assert struct.unpack_from("<H", content, 18)[0] == ABIS[abi], name
            assert all(alignment >= 16_384 for alignment in load_alignments(content)), name  # pages of Android 15
    if apk.stem.endswith("-without-runtime"):
        assert libraries == {}
        pytest.skip("the native libraries could not be downloaded by npm: this APK lacks them")
    assert set(libraries) == {(abi, f"lib{name}.so") for abi in ABIS for name in ("onnxruntime", "onnxruntime4j_jni")}
    natives = native_methods(run("dexdump", apk))
    assert len(natives) > 80
    for abi in ABIS:
        both = libraries[abi, "libonnxruntime4j_jni.so"] + libraries[abi, "libonnxruntime.so"]
        offered = {name.decode() for name in re.findall(rb"\0(Java_\w+?)(?=\0|__)", both)}  # __: then parameters' types
        assert natives <= offered, abi


def test_signed_aligned_and_small(apk: Path, archive: zipfile.ZipFile) -> None:
    assert "Verifies" in run("apksigner", "verify", "--verbose", "--min-sdk-version", "26", apk)
    run("zipalign", "-c", "-p", "4", apk)
    assert archive.getinfo("resources.arsc").compress_type == zipfile.ZIP_STORED  # or Android 11 refuses it
    size = {
        part: sum(each.compress_size for each in archive.infolist() if each.filename.startswith(part))
        for part in ("lib/", "assets/", "")
    }
    assert size["lib/"] < 50_000_000  # three kinds of processor
    assert size[""] - size["lib/"] - size["assets/"] < 300_000  # the app itself


def test_texts_are_resources() -> None:
    for layout in SOURCES.glob("res/layout*/*.xml"):
        for attribute, text in re.findall(r'android:(text|hint|contentDescription)="(.*?)"', layout.read_text()):
            assert text.startswith("@string/"), f"{layout}: {attribute}"


def test_a_model_that_is_not_there(apk: Path) -> None:
    before = apk.stat().st_mtime
    result = build(MODELS="no/such.onnx")
    assert result.returncode == 1
    assert result.stderr == "MODELS names no/such.onnx, which is no .onnx file.\n"
    assert apk.stat().st_mtime == before


def dex_classes(dex: bytes) -> tuple[set[str], set[str]]:
    """Classes that a dex file defines, and all that it names (https://source.android.com/docs/core/runtime/dex-format)."""
    _, strings, type_count, types = struct.unpack_from("<4I", dex, 56)
    class_count, classes = struct.unpack_from("<2I", dex, 96)

    def name(number: int) -> str:
        (index,) = struct.unpack_from("<I", dex, types + 4 * number)
        (start,) = struct.unpack_from("<I", dex, strings + 4 * index)
        while dex[start] & 0x80:  # the length, in groups of seven bits
            start += 1
        return dex[start + 1 : dex.index(0, start + 1)].decode()

    def plain(descriptors: list[str]) -> set[str]:
        return {each.lstrip("[")[1:-1] for each in descriptors if each.lstrip("[").startswith("L")}

    defined = [name(struct.unpack_from("<I", dex, classes + 32 * number)[0]) for number in range(class_count)]
    return plain(defined), plain([name(number) for number in range(type_count)])


def native_methods(dump: str) -> set[str]:
    """The names by which a library has to offer the native methods of a dex file's classes (JNI specification)."""
    found, current, method = set(), "", ""
    for line in dump.splitlines():
        if match := re.match(r"\s+Class descriptor\s+: 'L(.*);'", line):
            current = match[1]
        elif match := re.match(r"\s+name\s+: '(.*)'", line):
            method = match[1]
        elif re.match(r"\s+access\s+: .*\bNATIVE\b", line):
            found.add("Java_" + f"{current}/{method}".replace("_", "_1").replace("$", "_00024").replace("/", "_"))
    return found


def load_alignments(elf: bytes) -> list[int]:
    """p_align of each segment that is loaded (elf(5))."""
    wide = elf[4] == 2  # 64 bits
    (start,) = struct.unpack_from("<Q", elf, 32) if wide else struct.unpack_from("<I", elf, 28)
    size, count = struct.unpack_from("<HH", elf, 54 if wide else 42)
    segments = [elf[at : at + size] for at in range(start, start + size * count, size)]
    loaded = [each for each in segments if struct.unpack_from("<I", each)[0] == 1]
    assert loaded
    return [struct.unpack_from("<Q", each, 48)[0] if wide else struct.unpack_from("<I", each, 28)[0] for each in loaded]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
