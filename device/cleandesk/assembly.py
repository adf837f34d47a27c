"""The stages of a box, made from its settings and joined."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cleandesk import __version__, vitals
from cleandesk.camera import Area, CameraFactory, Capture, Frame, make_camera
from cleandesk.clock import Clock, Instant
from cleandesk.contract.topics import Address
from cleandesk.control import (
    Configuration,
    Control,
    ModelUpdates,
    Rotation,
    Updates,
    kept,
    rotation,
)
from cleandesk.control.control import Hands
from cleandesk.control.model_means import model_updates
from cleandesk.control.update_means import updates
from cleandesk.detector import Detector
from cleandesk.doctor.camera import RunningCamera
from cleandesk.doctor.camera import Sources as CameraSources
from cleandesk.doctor.examiner import Examiner, Patient
from cleandesk.doctor.eye import Eye
from cleandesk.evidence import Background, Still, StillMaker, Taking
from cleandesk.identity.home import Home
from cleandesk.link import EventMaker, Link, Outbox, Paper
from cleandesk.loop import Gate, Governor, Looker, Preparer, Ready, Tray, needs_of
from cleandesk.model.running import manifest_of
from cleandesk.policy import Change, Policy
from cleandesk.settings import BoxSettings
from cleandesk.worker.aiming import Aiming
from cleandesk.worker.answers import room_a_day
from cleandesk.worker.commands import Commands
from cleandesk.worker.side import Surroundings, WorkerSide
from cleandesk.worker.sight import Sight
from cleandesk.worker.statement import Choices, statement


@dataclass(frozen=True, slots=True)
class Parts:
    """What the frame loop works with, from the camera to the broker.

    Attributes:
        settings: What runs: the box's own, with what came by MQTT in their place.
    """

    settings: BoxSettings
    control: Control
    models: ModelUpdates
    updates: Updates
    rotation: Rotation
    commands: Commands
    policy: Policy
    governor: Governor
    looker: Looker
    events: EventMaker
    outbox: Outbox
    link: Link
    tray: Tray[Ready]
    preparer: Preparer
    capture: Capture
    worker: WorkerSide


def assemble(
    own: BoxSettings,
    *,
    base: Path,
    clock: Clock,
    boot: str,
    timer: vitals.StageTimer,
    camera: CameraFactory | None,
) -> Parts:
    """Load the model, open the outbox and join the stages; nothing is looked at or sent yet.

    Args:
        own: The box's own file.
        base: The folder that relative paths start from.
        clock: For everything.
        boot: Id of this power-on.
        timer: Times the stages.
        camera: Makes the camera; None: the one that the settings name.

    Raises:
        ModelError: If the model cannot be used.
        OutboxError: If the outbox cannot be used.
        PinError: If a pin cannot be used.
        EvidenceError: If stills are on and cannot be made.
    """
    wanted = own.detector
    detector = Detector.load(manifest_of(own), threads=wanted.threads, precision=wanted.precision)
    manifest = detector.manifest
    configuration = Configuration(own, manifest, kept.path_of(own.outbox.path), boot)
    settings = configuration.settings
    gated = settings.gate == "on"
    policy = Policy(
        settings.rules,
        settings.zones,
        detector.names,
        threshold_of=manifest.threshold_of,
        new_id=lambda: uuid.uuid4().hex,
        look_s=1 / settings.looks_per_s,
        boot=boot,
    )
    needs = needs_of(settings.rules, settings.looks_per_s)
    looker = Looker(
        detector,
        policy,
        _gate(settings),
        timer,
        min_score=least_scores(settings, policy),
    )
    address = Address(settings.site, settings.box)
    outbox = Outbox(settings.outbox, address, boot=boot, clock=clock, keep=settings.ledger)
    commands = Commands(address, clock, outbox.say, room=room_a_day(settings.ledger))
    link = Link(
        settings.broker,
        address,
        outbox,
        clock=clock,
        boot=boot,
        version=__version__,
        model=f"{manifest.name} {manifest.version}",
        on_request=commands.take,
        on_desired=lambda received: control.take(received),  # noqa: PLW0108 - made below
    )
    worker: WorkerSide
    stills = _stills(settings, outbox, address, lambda: worker.mode.begun)
    aiming = Aiming(clock, outbox.note, period_s=1 / needs.least_looks_per_s)
    eye, tray = Eye(), Tray[Ready]()

    def show(frame: Frame) -> None:
        aiming.offer(frame.image)
        eye.offer(frame)

    models = model_updates(
        own,
        manifest=manifest,
        clock=clock,
        configuration=configuration,
        outbox=outbox,
        restart=lambda: control.restart(),  # noqa: PLW0108 - made below
    )
    models.serve(commands)
    software = updates(own, clock=clock, boot=boot, outbox=outbox)
    software.serve(commands)
    control = Control(
        configuration,
        clock,
        outbox,
        Hands(
            report=link.set_reported,
            republish=link.republish,
            status=lambda: link.status,
            wake=tray.wake,
            on_look=models.looked,
        ),
    )
    control.serve(commands)
    rotate = Rotation(Home.of(own.broker), clock, rotation.path_of(own.outbox.path), link.reconnect)
    rotate.serve(commands)
    preparer = Preparer(
        detector,
        tray,
        timer,
        looks_per_s=settings.looks_per_s,
        gated=gated,
        tap=show,
        wanted=None if stills is None else lambda: stills.wanted,
    )
    make = camera or (lambda: make_camera(settings.camera, clock, base=base))
    capture = Capture(make, preparer, settings.camera, clock, area=Area(settings.area, timer=timer))
    watched = CameraSources(
        eye, capture.state, lambda: worker.mode.present is not None, outbox.note
    )
    running = RunningCamera(settings, clock, watched)
    examiner = Examiner(Patient(settings, clock, outbox, link, running))
    examiner.serve(commands)
    around = Surroundings(
        outbox=outbox,
        capture=capture,
        policy=policy,
        looker=looker,
        sight=Sight(
            settings.rules,
            detector.names,
            manifest.threshold_of,
            presence=settings.worker.zone is not None,
        ),
        aiming=aiming,
        commands=commands,
        connected=lambda: link.connected,
        wake=tray.wake,
        statement=lambda: statement(control.settings, Choices.of(control.settings)),
        examine=examiner.examine,
        stills=stills,
    )
    worker = WorkerSide(settings, clock, boot, around)
    return Parts(
        settings=settings,
        control=control,
        models=models,
        updates=software,
        rotation=rotate,
        commands=commands,
        policy=policy,
        governor=Governor(settings.looks_per_s, needs.least_looks_per_s, clock.now()),
        looker=looker,
        events=EventMaker(address, boot=boot, model_sha256=detector.weights.sha256),
        outbox=outbox,
        link=link,
        tray=tray,
        preparer=preparer,
        capture=capture,
        worker=worker,
    )


def _stills(
    settings: BoxSettings, outbox: Outbox, address: Address, breaks: Callable[[], int]
) -> Taking | None:
    """Prepare what makes stills, with a detector of its own; None where they are turned off."""
    if not settings.stills.enabled:
        return None

    def send(violation_id: str, still: Still) -> None:
        paper = Paper.still(address, violation_id, uuid.uuid4().hex, still.content)
        if still.jpeg != still.content:
            outbox.note_picture(still.jpeg)
        outbox.say(paper, hold_s=settings.stills.delay_s)

    wanted = settings.detector
    detector = Detector.load(manifest_of(settings), threads=1, precision=wanted.precision)
    maker = StillMaker.load(settings.stills, detector)
    return Taking(Background(maker, send, breaks), breaks)


def rearrange(parts: Parts, settings: BoxSettings, at: Instant) -> list[Change]:
    """Go by other rules, zones and limits on breaks from now on; in the frame loop's thread.

    Args:
        parts: What runs.
        settings: They differ from those that run in nothing else.
        at: The present moment.

    Returns:
        What closed: its rule or zone is gone or another.
    """
    changes = parts.policy.rearrange(settings.rules, settings.zones, at)
    parts.looker.rearrange(_gate(settings), least_scores(settings, parts.policy))
    parts.governor.need(needs_of(settings.rules, settings.looks_per_s).least_looks_per_s)
    parts.worker.rearrange(settings)
    return changes


def _gate(settings: BoxSettings) -> Gate | None:
    needs = needs_of(settings.rules, settings.looks_per_s)
    return Gate(needs, 1 / settings.looks_per_s) if settings.gate == "on" else None


def least_scores(settings: BoxSettings, policy: Policy) -> tuple[float, ...]:
    """Return for each of the model's classes the score below which detections are left out."""
    dropped = settings.detector.min_score or 0.0
    return tuple(max(floor, dropped) for floor in policy.floors)
