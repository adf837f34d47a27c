"""Which of a model's files a machine runs, by what /proc/cpuinfo says."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from cleandesk.detector import Manifest, ModelError, Wanted, read_manifest
from cleandesk.detector.precision import choose, cpuinfo, dot_product

Write = Callable[..., Path]
HERE = Path("manifest.yaml")

PI_4 = """\
processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU part\t: 0xd08

processor\t: 1
Features\t: fp asimd evtstrm crc32 cpuid
"""
PI_5 = PI_4.replace(
    "crc32 cpuid", "aes crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
)
OLD_PC = "vendor_id\t: GenuineIntel\nflags\t\t: fpu sse4_2 avx avx2 avx512f\n"
SERVER = OLD_PC.replace("avx512f", "avx512f avx512_vnni")
LAPTOP = OLD_PC.replace("avx512f", "avx_vnni")


@pytest.fixture
def both(write: Write) -> Manifest:
    variant = {"precision": "int8", "file": "b.onnx", "sha256": "b" * 64, "needs": "dot_product"}
    return read_manifest(write(variants=[variant]))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (PI_4, None),
        (PI_5, "asimddp"),
        (OLD_PC, None),
        (SERVER, "avx512_vnni"),
        (LAPTOP, "avx_vnni"),
        ("", None),
        ("no colon anywhere", None),
        ("model name\t: asimddp avx_vnni of another list\n", None),
        ("flags\t\t: avx512_vnnix\n", None),
    ],
)
def test_dot_products_are_read_from_the_list_of_features(text: str, name: str | None) -> None:
    assert dot_product(text) == name


def test_every_core_must_have_it() -> None:
    assert dot_product(PI_5 + "\n" + PI_4) is None


@pytest.mark.parametrize(
    ("text", "wanted", "precision", "why"),
    [
        (PI_4, "auto", "fp32", "this CPU has no dot product"),
        (PI_5, "auto", "int8", "this CPU has asimddp"),
        (SERVER, "auto", "int8", "this CPU has avx512_vnni"),
        (SERVER, "fp32", "fp32", "the settings say so; this CPU has avx512_vnni"),
        (PI_4, "int8", "int8", "the settings say so; this CPU has no dot product"),
    ],
)
def test_the_cpu_decides_unless_the_settings_do(
    both: Manifest, text: str, wanted: Wanted, precision: str, why: str
) -> None:
    chosen = choose(both, HERE, wanted, text)
    assert (chosen.precision, chosen.why) == (precision, why)
    file, sha256 = {
        "fp32": (both.file, both.sha256),
        "int8": (both.variants[0].file, "b" * 64),
    }[precision]
    assert (chosen.file, chosen.sha256) == (file, sha256)


@pytest.mark.parametrize("wanted", ["auto", "fp32"])
def test_a_model_of_one_file_is_fp32_everywhere(write: Write, wanted: Wanted) -> None:
    manifest = read_manifest(write(variants=[]))
    assert choose(manifest, HERE, wanted, PI_5).file == manifest.file


def test_int8_that_is_not_there_is_refused(write: Write) -> None:
    manifest = read_manifest(write(variants=[]))
    with pytest.raises(ModelError, match="has no int8 file; set detector"):
        choose(manifest, HERE, "int8", PI_5)


def test_this_machine_gives_an_answer(both: Manifest) -> None:
    assert choose(both, HERE, "auto", cpuinfo()).precision in get_args(Wanted)
