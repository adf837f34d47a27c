"""Power cuts in the middle of an update; what the service sends of a model, and to whom."""

import http.client
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from cleandesk import durable
from cleandesk.contract.connection import TlsSettings
from cleandesk.contract.publication import Received
from cleandesk.contract.topics import Command, Side
from cleandesk.control import ModelUpdates
from cleandesk.control.model_change import Means
from cleandesk.control.model_updates import path_of
from cleandesk.detector import read_manifest
from cleandesk.identity.errors import Code, IdentityError
from cleandesk.identity.fetching import Fetching
from cleandesk.link import Paper
from cleandesk.model.kept import Kept
from cleandesk.model.probation import Probation
from cleandesk.model.running import manifest_of, shelf_of
from cleandesk.model.trying import Took
from cleandesk.settings import BoxSettings
from cleandesk.worker.commands import Commands
from cleandesk_fleet.provision.artefacts import Artefact
from cleandesk_fleet.provision.modelling import request_of
from tests.eventually import eventually
from tests.mosquitto import needs_mosquitto
from tests.system.claim_rig import Box
from tests.system.model_rig import put
from tests.system.provision_rig import Site
from tests.unit.control.make import own
from tests.unit.worker.make import BOOT

pytestmark = [pytest.mark.system, needs_mosquitto]


#: Of the operations, each is cut by `make test-models`, which sets ROUNDS; else every third one.
STEP = 1 if os.environ.get("ROUNDS") else 3


def _own(box: Box, folder: Path) -> BoxSettings:
    tls = TlsSettings(ca=box.home.root, cert=box.home.box, key=box.home.box)
    broker = {"host": "localhost", "tls": tls}
    return own(outbox={"path": folder / "data" / "outbox.db"}, broker=broker)


def _live(box: Box, settings: BoxSettings, one: Artefact, said: Path, correlation: bytes) -> None:
    """Live as a box that is asked again and again until it has answered, but for looking."""

    def say(paper: Paper) -> None:
        with said.open("ab") as file:
            file.write(paper.payload + b"\n")

    if said.exists() and said.read_bytes().endswith(b"\n"):
        path_of(settings.outbox.path).unlink(missing_ok=True)  # as with the answer in the ledger
        return
    shelf, address = shelf_of(settings), box.address
    means = Means(
        shelf=shelf,
        fetching=Fetching(box.home, box.clock, patience_s=30),
        objections=lambda _: [],
        slowest_s=lambda: 1.0,
        try_out=lambda _: Took(0.1, 1.0),
        note=lambda *_: None,
        restart=lambda: None,
        software_on_trial=lambda: False,
    )
    commands = Commands(address, box.clock, say, room=1e6)
    manifest = read_manifest(manifest_of(settings))
    updates = ModelUpdates(settings, manifest, box.clock, means)
    updates.serve(commands)
    updates.begin(commands)
    topic = address.command(Command.MODEL, Side.REQUEST)
    body = request_of(one).to_json()
    commands.take(Received(topic, body, correlation=correlation), box.clock.now())
    record = path_of(settings.outbox.path)
    eventually(lambda: said.exists() and not record.exists(), "the answer")


def test_a_power_cut_at_any_operation_leaves_one_whole_model_and_one_answer(
    site: Site, tmp_path: Path
) -> None:
    box = Box(site, "s1/cut-model", tmp_path)
    box.claim()
    settings = _own(box, tmp_path)
    settings.outbox.path.parent.mkdir()
    shelf = shelf_of(settings)
    for at in range(1, 100, STEP):
        one = put(site, tmp_path, f"1.{at}", weights=b"weights" * 50_000)
        said = tmp_path / "said"
        said.unlink(missing_ok=True)
        before = manifest_of(settings).read_bytes()
        correlation = bytes([at])
        cut = box.cut(at, lambda: _live(box, settings, one, said, correlation))  # noqa: B023
        # Whatever is there is whole: the one before, or the new one.
        new = f"version: '1.{at}'".encode()
        found = manifest_of(settings).read_bytes()
        assert found == before or new in found
        read_manifest(manifest_of(settings))
        Probation(shelf, f"{at:032x}").begin()
        _live(box, settings, one, said, correlation)
        answer = json.loads(said.read_text().splitlines()[0])
        assert answer["outcome"] == "done", answer
        assert new in manifest_of(settings).read_bytes()
        shelf.change(Kept.committed)
        shelf.tidy()
        kept = shelf.read()
        assert kept.present is not None
        whole = {"state", one.sha256, *([kept.previous.artefact] if kept.previous else [])}
        assert {path.name for path in shelf.folder.iterdir()} == whole
        if not cut:
            break
    assert at > 15


def test_a_power_cut_at_any_operation_of_a_way_back_leaves_one_model(
    site: Site, tmp_path: Path
) -> None:
    box = Box(site, "s1/cut-back", tmp_path)
    settings = _own(box, tmp_path)
    settings.outbox.path.parent.mkdir()
    box.claim()
    _live(box, settings, put(site, tmp_path, "1.0", weights=b"w"), tmp_path / "said", b"1")
    shelf = shelf_of(settings)
    trial = shelf.change(lambda kept: kept.begun(BOOT))
    for at in range(1, 20):
        cut = box.cut(at, lambda: Probation(shelf, BOOT).begin())
        version = shelf.read().present
        assert version is None or version == trial.present
        Probation(shelf, BOOT).begin()
        kept = shelf.read()
        assert kept.present is None
        assert kept.given_up is not None
        durable.write(shelf.folder / "state", trial.model_dump_json().encode())
        if not cut:
            break
    assert at > 2


def _get(
    site: Site, path: str, files: TlsSettings | None, begin: int = 0
) -> tuple[int, bytes, http.client.HTTPMessage]:
    connection = http.client.HTTPSConnection(
        "localhost", site.port, context=site.context(files), timeout=30
    )
    try:
        connection.request("GET", path, headers={"Range": f"bytes={begin}-"} if begin else {})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def test_the_service_gives_models_to_boxes_and_to_nobody_else(site: Site, tmp_path: Path) -> None:
    one = put(site, tmp_path, "1.0", weights=b"w")
    path = f"/v1/artefacts/{one.file}"
    box = site.enrol("s1/fetches")
    status, content, _ = _get(site, path, box.files)
    assert (status, content) == (200, one.content)
    status, content, headers = _get(site, path, box.files, 1000)
    assert (status, content) == (206, one.content[1000:])
    assert headers["Content-Range"].startswith("bytes 1000-")
    assert _get(site, path, box.files, len(one.content))[0] == 416
    assert _get(site, path, None)[0] == 401

    folder = site.fleet().settings.artefacts
    (folder / "link").symlink_to(site.config)
    (folder / "folder").mkdir()
    for name in ("none", "link", "folder", "..%2fprovision.yaml", ".hidden", "%2e%2e", "a%00b"):
        status, said, _ = _get(site, f"/v1/artefacts/{name}", box.files)
        assert status == 404, name
        assert b"enrolment" not in said

    gone = site.enrol("s1/revoked-fetches")
    site.run("revoke", "s1/revoked-fetches")
    assert _get(site, path, gone.files)[0] == 400
    over = site.short_lived("s1/fetches", timedelta(seconds=1))
    eventually(lambda: _ended(site, path, over.files), "the end of the certificate")


def _ended(site: Site, path: str, files: TlsSettings) -> bool:
    try:
        return _get(site, path, files)[0] == 400
    except OSError:
        return True


def test_a_file_that_was_begun_is_gone_on_with(site: Site, tmp_path: Path) -> None:
    box = Box(site, "s1/goes-on", tmp_path)
    box.claim()
    one = put(site, tmp_path, "1.0", weights=b"weights" * 10_000)
    fetching, path = Fetching(box.home, box.clock, patience_s=30), tmp_path / "incoming"
    path.write_bytes(one.content[:5000])
    fetching.fetch(one.file, len(one.content), path)
    assert path.read_bytes() == one.content
    fetching.fetch(one.file, len(one.content), path)
    with pytest.raises(IdentityError) as caught:
        fetching.fetch(one.file, len(one.content) + 1, path)
    assert caught.value.code is Code.REFUSED
    path.unlink()
    fetching.fetch(one.file, 100, path)
    assert path.read_bytes() == one.content[:100], "no more than was asked for"
    with pytest.raises(IdentityError, match="there is no such file"):
        fetching.fetch("none", 100, tmp_path / "none")
    site.stop_service()
    try:
        with pytest.raises(IdentityError) as caught:
            Fetching(box.home, box.clock, patience_s=0).fetch(one.file, 200, path)
    finally:
        site.start_service()
    assert caught.value.code is Code.SERVICE_AWAY
