"""The card's partitions, as the system on it finds them."""

from image import debian, disk

FSTAB = debian.HERE / "root/etc/fstab"


def _fields() -> dict[str, list[str]]:
    lines = FSTAB.read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    return {row[1]: row for row in rows}


def test_partitions_are_found_by_their_place_and_not_by_a_name_that_somebody_may_change() -> None:
    found = {row[0]: where for where, row in _fields().items() if row[0].isupper() or "=" in row[0]}
    assert found == {
        f"PARTUUID={disk.DISK_ID:08x}-01": "/boot/firmware",
        f"PARTUUID={disk.DISK_ID:08x}-{len(disk.PARTS):02}": "/data",
    }


def test_a_disk_that_never_comes_ends_the_start_and_the_technicians_folder_does_not() -> None:
    fields = _fields()
    for where in ("/boot/firmware", "/data"):
        assert "x-systemd.device-timeout=10min" in fields[where][3]
    assert "nofail" in fields["/boot/firmware"][3]
    assert "nofail" not in fields["/data"][3]


def test_what_the_data_partition_holds_is_bound_to_where_programs_look() -> None:
    bound = {row[0] for row in _fields().values() if row[3] == "bind"}
    assert bound == {f"/data/{name}" for name in disk.FOLDERS}
