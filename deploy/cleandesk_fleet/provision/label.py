"""The label that goes onto a box: whose it is, the worker's page as a QR code, and the PIN."""

from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

from cleandesk import whole_file
from cleandesk.contract.topics import Address

#: 62 by 29 mm, a common size of label tape, at 300 dots an inch.
_DPI = 300
_WIDTH, _HEIGHT = 732, 342
_MARGIN = 24
_WHITE, _BLACK = 255, 0


def page_of(address: Address) -> str:
    """Return the address of a box's own page, on the home network."""
    return f"https://{address.host}.local/"


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on one label."""

    address: Address
    pin: str

    @property
    def page(self) -> str:
        """The worker's page, on the home network."""
        return page_of(self.address)

    def draw(self) -> Image.Image:
        """Return the label as a picture in black and white."""
        picture = Image.new("L", (_WIDTH, _HEIGHT), _WHITE)
        code = self._code(_HEIGHT)
        picture.paste(code, (0, (_HEIGHT - code.height) // 2))
        pen = ImageDraw.Draw(picture)
        left = code.width
        top = 1.5 * _MARGIN
        for text, size in (
            (self.address.site, 34),
            (self.address.box, 52),
            ("PIN for the worker's page", 26),
            (f"{self.pin[:4]} {self.pin[4:]}", 56),
            (self.page, 22),
        ):
            font = _fitting(text, size, _WIDTH - left - _MARGIN)
            pen.text((left, top), text, fill=_BLACK, font=font)
            top += size + 14
        return picture

    def _code(self, room: int) -> Image.Image:
        code = segno.make(self.page, error="m", micro=False)
        scale = room // len(list(code.matrix_iter()))
        rows = [bytes(row) for row in code.matrix_iter(scale=scale)]
        dots = b"".join(rows).translate(bytes([_WHITE, _BLACK]) + bytes(254))
        return Image.frombytes("L", (len(rows), len(rows)), dots)


def _fitting(text: str, size: int, room: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the built-in font, as large as asked or as fits."""
    while size > 8 and (font := ImageFont.load_default(size)).getlength(text) > room:  # noqa: PLR2004 - unreadable below
        size -= 1
    return font


def write_png(label: Label, path: Path) -> None:
    """Write one label as a picture, mode 0600 from its first byte: the PIN is on it."""
    made = BytesIO()
    label.draw().save(made, "PNG", dpi=(_DPI, _DPI))
    whole_file.write(path, made.getvalue(), whole_file.SECRET)


def write_pdf(pictures: list[Path], path: Path) -> None:
    """Write labels, as `write_png` wrote them, as one PDF, one a page, in the tape's size."""
    made = BytesIO()
    with ExitStack() as opened:
        first, *rest = [opened.enter_context(Image.open(one)) for one in pictures]
        first.save(made, "PDF", resolution=_DPI, save_all=True, append_images=rest)
    whole_file.write(path, made.getvalue(), whole_file.SECRET)
