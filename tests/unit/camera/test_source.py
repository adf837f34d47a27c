import pytest

from cleandesk.camera.source import SourceKind, kind_of, public_name


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("picamera2", SourceKind.PICAMERA2),
        ("/dev/video0", SourceKind.V4L2),
        ("rtsp://host/main", SourceKind.STREAM),
        ("https://host/x.mjpg", SourceKind.STREAM),
        ("clips/desk.mp4", SourceKind.RECORDING),
        ("/srv/pictures", SourceKind.RECORDING),
    ],
)
def test_the_way_a_source_is_written_says_what_it_is(source: str, kind: SourceKind) -> None:
    assert kind_of(source) is kind


def test_only_what_lives_in_this_process_is_helped_by_a_new_one() -> None:
    assert [kind for kind in SourceKind if kind.local] == [SourceKind.PICAMERA2, SourceKind.V4L2]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("rtsp://admin:s3cret@10.0.0.7:8554/main", "rtsp://10.0.0.7:8554/main"),
        ("rtsp://10.0.0.7/main?user=a&pwd=s3cret#s3cret", "rtsp://10.0.0.7/main"),
        ("http://s3cret@[fe80::1]:80/x", "http://[fe80::1]:80/x"),
        ("rtsp://admin:s3cret@host:port/x", "rtsp://…"),
        ("rtsp://admin:s3cret@[half/x", "rtsp://…"),
        ("/dev/video0", "/dev/video0"),
    ],
)
def test_names_hold_no_credentials(source: str, name: str) -> None:
    assert public_name(source) == name
