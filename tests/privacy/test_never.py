"""What the product never does: no code for it, no model for it, no library for it."""

import ast
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.rig import ROOT

SOURCES = (ROOT / "device", ROOT / "deploy")
#: Python's ways to sound: recording, playing, decoding.
SOUND_MODULES = {
    *("alsaaudio", "audioop", "av", "ffmpeg", "gi", "gst", "imageio_ffmpeg", "jack", "librosa"),
    *("moviepy", "ossaudiodev", "pasimple", "playsound", "pulsectl", "pulsectl_asyncio", "pyalsa"),
    *("pyaudio", "pydub", "pygame", "simpleaudio", "sounddevice", "soundcard", "soundfile"),
    *("speech_recognition", "torchaudio", "vosk", "wave", "whisper", "winsound"),
}
#: Who somebody is, how old, or in what mood.
FACE_MODULES = {
    *("deepface", "dlib", "emotion", "face_recognition", "facenet_pytorch", "fer", "hsemotion"),
    *("insightface", "openface", "pyfeat", "rekognition", "speechbrain"),
}
#: OpenCV's own ways to the same, and to record.
CALLS = re.compile(r"AUDIO|FaceRecognizer|VideoWriter", re.IGNORECASE)
SOUND_WORDS = ("/dev/snd", "alsa", "arecord", "audio", "gstreamer", "parec", "pipewire", "pulse")
#: Where sound is named so that there is none.
SILENCERS = {"deploy/image/check.py": ["audio"]}  # that nobody is in the group
#: Where a picture is encoded or written, and for whom.
PICTURE_WRITERS = {
    "device/cleandesk/annotate.py": "a person who runs `cleandesk detect --draw` on files",
    "device/cleandesk/evidence/encode.py": "a site that turned stills on, of what is redacted",
    "device/cleandesk/worker/aiming.py": "the worker, in the aiming view on their own page",
    "deploy/demo/pictures.py": "a person who runs the demo, from its clip, after the run",
}
WEIGHTS = {
    *(".bin", ".caffemodel", ".ckpt", ".dat", ".engine", ".h5", ".joblib", ".keras", ".mnn"),
    *(".msgpack", ".ncnn", ".npy", ".npz", ".onnx", ".param", ".pb", ".pickle", ".pkl", ".pt"),
    *(".pth", ".rknn", ".safetensors", ".task", ".tflite", ".xml"),
}
LARGE = 200_000  # bytes


def _imports(tree: ast.AST) -> set[str]:
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    names |= {
        f"{n.module}.{a.name}"
        for n in ast.walk(tree)
        if isinstance(n, ast.ImportFrom)
        for a in n.names
    }
    return {part.lower() for name in names for part in name.split(".")}


def _names(tree: ast.AST) -> set[str]:
    found = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    found |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    return found | {
        a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names
    }


def _words(tree: ast.AST) -> Iterator[str]:
    """Yield what the code says to others: its texts but for those that stand for themselves."""
    alone = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in alone:
            yield str(node.value)


def forbidden(code: str) -> list[str]:
    """Return what in some code is a way to sound, to a face, or to a recording."""
    tree = ast.parse(code)
    found = _imports(tree) & (SOUND_MODULES | FACE_MODULES)
    found |= {name for name in _names(tree) if CALLS.search(name)}
    found |= {w for text in _words(tree) for w in SOUND_WORDS if w in text.lower()}
    return sorted(found)


def _code() -> Iterator[tuple[str, str]]:
    for folder in SOURCES:
        for path in sorted(folder.rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def test_no_code_hears_recognises_or_records() -> None:
    assert {place: found for place, code in _code() if (found := forbidden(code))} == SILENCERS


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("import sounddevice as sd", ["sounddevice"]),
        ("from pydub.playback import play", ["pydub"]),
        ("import av.container", ["av"]),
        ("from av import open", ["av"]),
        ("subprocess.run(['arecord', 'x'])", ["arecord"]),
        ("open('/dev/snd/pcmC0D0c')", ["/dev/snd"]),
        ("f'pulse://{name}'", ["pulse"]),
        ("video.get(cv2.CAP_PROP_AUDIO_STREAM)", ["CAP_PROP_AUDIO_STREAM"]),
        ("cv2.FaceRecognizerSF.create('x', '')", ["FaceRecognizerSF"]),
        ("cv2.face.LBPHFaceRecognizer_create()", ["LBPHFaceRecognizer_create"]),
        ("import face_recognition", ["face_recognition"]),
        ("from cv2 import VideoWriter as W", ["VideoWriter"]),
        ("'''No audio is ever read.'''", []),
    ],
)
def test_the_search_finds_such_code(code: str, what: list[str]) -> None:
    assert forbidden(code) == what


def test_pictures_are_encoded_only_where_it_is_known_for_whom() -> None:
    calls = re.compile(r"\b(imwrite|imwritemulti|imencode|imencodemulti)\b")
    assert {place for place, code in _code() if calls.search(code)} == set(PICTURE_WRITERS)


def test_only_pictures_are_asked_of_a_network_camera() -> None:
    code = (ROOT / "device" / "cleandesk" / "camera" / "opencv.py").read_text(encoding="utf-8")
    assert "allowed_media_types;video" in code


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Build the wheel as it is shipped; returns its files with their sizes."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return {info.filename: info.file_size for info in archive.infolist()}


def test_the_wheel_holds_one_model_and_nothing_else_that_could_be_one(
    wheel: dict[str, int],
) -> None:
    desk = {f"cleandesk/models/desk/{name}.onnx" for name in ("desk", "desk.int8")}
    assert {name for name in wheel if Path(name).suffix in WEIGHTS} == desk
    assert {name for name, size in wheel.items() if size > LARGE} == desk


def test_the_wheel_holds_no_picture_sound_or_film(wheel: dict[str, int]) -> None:
    media = {".avi", ".bmp", ".flac", ".gif", ".jpeg", ".jpg", ".mkv", ".mov", ".mp3", ".mp4"}
    media |= {".ogg", ".png", ".wav", ".webm", ".webp"}
    assert {name for name in wheel if Path(name).suffix.lower() in media} == set()


def test_the_model_can_say_person_and_nothing_about_one() -> None:
    manifest = yaml.safe_load((ROOT / "models/desk/manifest.yaml").read_text(encoding="utf-8"))
    things = {
        *("phone", "paper", "notebook", "sticky_note", "pen", "tablet", "card", "usb_stick"),
        *("camera", "headphones", "bag", "cup", "bottle", "laptop", "keyboard", "mouse"),
        *("monitor", "remote"),
    }
    assert set(manifest["classes"]) == things | {"person"}


def test_no_package_that_a_box_installs_is_one_for_sound_or_faces() -> None:
    lock = (ROOT / "deploy" / "locks" / "demo.txt").read_text(encoding="utf-8")
    names = set(re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE))
    assert {"numpy", "onnxruntime", "opencv-python-headless"} <= names
    assert {name.lower().replace("-", "_") for name in names} & (
        SOUND_MODULES | FACE_MODULES
    ) == set()
