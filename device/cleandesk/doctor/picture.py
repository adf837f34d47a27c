"""What a picture tells of its camera: light, cover, focus. Numbers go on; no picture does.

Focus is measured as the width of the steepest edges: by how much they flatten when the picture is
blurred further (Zhuo and Sim, "Defocus map estimation from a single image", 2011). Unlike the
variance of the Laplacian it depends neither on contrast nor, much, on noise.
"""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cleandesk.camera import Frame
from cleandesk.camera.watch import is_dark
from cleandesk.contract.doctor_messages import DoctorCheck, DoctorCode
from cleandesk.doctor import aim
from cleandesk.doctor.findings import failed, judged, not_tried, passed

#: Pictures are measured at this width, pixels.
WIDTH = 640
_FINE, _COARSE = 1.0, 4.0  # standard deviations of the blur that is added, pixels
_STEEPEST = 99.5  # percentile of the gradients
_WHITE, _MOST_WHITE = 250, 0.4
#: Grey levels a pixel: the steepest edge of any picture with something in it is steeper. Of 150
#: pictures of desks at a fifth of their light the least was 1.25; a lens under milky film had 0.5.
_FLAT = 0.9
#: Of 150 sharp pictures of desks the greatest was 2.2, measured as here.
_BLURRED_PX = 3.0
_MASK_MARGIN = 25  # pixels: a blanked border is an edge, and blurs inwards

PICTURE_CODES = (
    DoctorCode.CAMERA_DARK,
    DoctorCode.CAMERA_OVEREXPOSED,
    DoctorCode.CAMERA_COVERED,
    DoctorCode.CAMERA_OUT_OF_FOCUS,
    DoctorCode.CAMERA_MOVED,
)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What is left of a picture.

    Attributes:
        brightness: On average, 0 to 255.
        dark: Nearly all of it is near black.
        white: The share that is as bright as can be.
        edge: The steepest edges after some blur, grey levels a pixel.
        blur_px: Standard deviation of the blur of its steepest edges, pixels of `WIDTH`.
        aim: What it would be compared with to tell whether the camera was moved.
    """

    brightness: float
    dark: bool
    white: float
    edge: float
    blur_px: float
    aim: str

    @classmethod
    def of(cls, frame: Frame) -> "Glimpse":
        """Measure a frame, within what may be looked at."""
        view, inside = frame.view, frame.part.inside if frame.part else None
        height, width = view.shape[:2]
        size = (WIDTH, max(1, round(height * WIDTH / width)))
        small = cv2.resize(view, size, interpolation=cv2.INTER_AREA)
        grey = _bytes(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY))
        mask = np.ones(grey.shape, np.uint8)
        if inside is not None:
            kept = cv2.resize(inside.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
            mask = _bytes(kept)
        seen = grey[mask > 0] if mask.any() else grey.ravel()
        core = cv2.erode(mask, np.ones((_MASK_MARGIN, _MASK_MARGIN), np.uint8)) > 0
        core = core if core.any() else mask > 0
        fine, coarse = (_steepest(grey, blur, core) for blur in (_FINE, _COARSE))
        return cls(
            brightness=float(seen.mean()),
            dark=is_dark(seen),
            white=float((seen >= _WHITE).mean()),
            edge=coarse,
            blur_px=_blur(fine, coarse),
            aim=aim.signature(grey, mask),
        )


def judge(glimpse: Glimpse, remembered: str | None) -> list[DoctorCheck]:
    """Return what a picture tells of its camera; what hides another failure comes first.

    Args:
        glimpse: The picture.
        remembered: The aim that was right; None: nobody has said.
    """
    light = f"brightness {glimpse.brightness / 2.55:.0f} %"
    if glimpse.dark:
        return [failed(PICTURE_CODES[0], light), *not_tried(PICTURE_CODES[1:], "too dark to tell")]
    checks = [passed(DoctorCode.CAMERA_DARK, light)]
    white = f"{100 * glimpse.white:.0f} % of the picture is white"
    if glimpse.white > _MOST_WHITE:
        checks.append(failed(DoctorCode.CAMERA_OVEREXPOSED, white))
        return checks + not_tried(PICTURE_CODES[2:], "too bright to tell")
    checks.append(passed(DoctorCode.CAMERA_OVEREXPOSED, white))
    edge = f"the steepest edge rises by {glimpse.edge:.1f} levels a pixel; {_FLAT} is the least"
    if glimpse.edge < _FLAT:
        checks.append(failed(DoctorCode.CAMERA_COVERED, edge))
        return checks + not_tried(PICTURE_CODES[3:], "nothing is seen")
    blur = (
        f"edges are blurred by {glimpse.blur_px:.1f} pixels of {WIDTH}; {_BLURRED_PX:.0f} at most"
    )
    return [
        *checks,
        passed(DoctorCode.CAMERA_COVERED, edge),
        judged(DoctorCode.CAMERA_OUT_OF_FOCUS, blur, wrong=glimpse.blur_px > _BLURRED_PX),
        _moved(glimpse.aim, remembered),
    ]


def _moved(seen: str, remembered: str | None) -> DoctorCheck:
    code = DoctorCode.CAMERA_MOVED
    if remembered is None:
        why = "no aim is remembered: aim the camera, then `cleandesk doctor --aimed`"
        return not_tried([code], why)[0]
    reversed_ = aim.reversed_share(remembered, seen)
    said = f"{100 * reversed_:.0f} % of what was brighter is darker now; {aim.MOST:.0%} at most"
    return judged(code, said, wrong=reversed_ > aim.MOST)


def _bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(values, np.uint8)


def _steepest(grey: NDArray[np.uint8], blur: float, core: NDArray[np.bool_]) -> float:
    soft = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), blur)
    across, down = (cv2.Sobel(soft, cv2.CV_32F, *way) / 8 for way in ((1, 0), (0, 1)))
    return float(np.percentile(np.hypot(across, down)[core], _STEEPEST))


def _blur(fine: float, coarse: float) -> float:
    """Return how blurred an edge was that is so steep after the one blur and after the other."""
    ratio = (fine / max(coarse, 1e-6)) ** 2
    if ratio <= 1:
        return float(WIDTH)
    return math.sqrt(max(0.0, _COARSE**2 - ratio * _FINE**2) / (ratio - 1))
