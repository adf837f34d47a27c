"""The look for small phones: a narrow head of its own, beside the one that looks for all else.

What a phone of 18 pixels looks like the branch's head does not learn beside ten other classes: of
those under ceilings that it was taught it finds next to none. These 22,000 weights learn nothing
else. They read the stem (stride 4), the backbone at strides 8 and 16, and what the branch's head
sees at stride 8, and answer at stride 8 for phones alone. All that they read is frozen by then.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.train.detail import FILTERS, FINE_CHANNELS, KERNEL, SLOPE, STEM_CHANNELS
from models.train.graph import BOX_CHANNELS, Array

# What is read, and its channels: at stride 4, 8, 16 and 8.
MAPS: Final = {"stem": STEM_CHANNELS, "fine": 116, "middle": 232, "head": FINE_CHANNELS}
STRIDE: Final = 8
WIDTH: Final = 32
BLOCKS: Final = 2
# The longest side that it looks for, in input pixels; what is larger the head finds.
LARGEST: Final = 56.0
SELDOM: Final = -5.0  # logit that every point starts with
# Share of the channels that are left out while it learns, others each time. It is taught few rooms,
# and leans on what is particular to them if it may.
MISSING: Final = 0.1


class SmallPhones(nn.Module):  # type: ignore[misc]
    """The head as it learns, with batch normalisation; `folded` is what ships."""

    def __init__(self) -> None:
        super().__init__()
        stem = MAPS["stem"] * FILTERS
        # `groups` gives each map its filters one after the other.
        self.filters = _conv(MAPS["stem"], stem, KERNEL, stride=2, groups=MAPS["stem"])
        self.filtered = nn.BatchNorm2d(stem)
        self.mixes = nn.ModuleDict(
            {
                name: _conv(stem if name == "stem" else channels, WIDTH)
                for name, channels in MAPS.items()
            }
        )
        self.mixed = nn.BatchNorm2d(WIDTH)
        self.blocks = nn.ModuleList(_block() for _ in range(BLOCKS))
        self.answer = nn.Conv2d(WIDTH, 1 + BOX_CHANNELS, 1)
        self.missing = nn.Dropout2d(MISSING)
        nn.init.normal_(self.answer.weight, 0, 0.01)
        nn.init.constant_(self.answer.bias[:1], SELDOM)

    def forward(self, maps: Mapping[str, Tensor]) -> Tensor:
        """Maps by the names of `MAPS`, [B, C, h, w] each -> logits [B, points, 1 + 4 * BINS]."""
        shown = {name: self.missing(maps[name]) for name in MAPS}
        stem = _active(self.filtered(self.filters(shown["stem"])))
        middle = functional.interpolate(self.mixes["middle"](shown["middle"]), scale_factor=2)
        mixed = self.mixes["stem"](stem) + middle
        for name in ("fine", "head"):
            mixed = mixed + self.mixes[name](shown[name])
        out = _active(self.mixed(mixed))
        for block in self.blocks:
            out = block(out)
        logits: Tensor = self.answer(out)
        return logits.flatten(2).transpose(1, 2)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def folded(self) -> dict[str, Array]:
        """Plain convolutions that say the same: `<place>.weight`, and `<place>.bias` where it has.

        Places: `filters`; the names of `MAPS`, whose sum has the bias of `stem`; of each block
        `spread_<n>` and `combine_<n>`; `answer`.
        """
        out = _named("filters", *_fold(self.filters.weight, self.filtered))
        for name, mix in self.mixes.items():
            weight, bias = _fold(mix.weight, self.mixed)
            out |= _named(name, weight, bias if name == "stem" else None)
        for number, block in enumerate(self.blocks):
            spread, spread_norm, _, combine, combine_norm, _ = block.children()
            out |= _named(f"spread_{number}", *_fold(spread.weight, spread_norm))
            out |= _named(f"combine_{number}", *_fold(combine.weight, combine_norm))
        return out | _named("answer", self.answer.weight, self.answer.bias)


def _named(place: str, weight: Tensor, bias: Tensor | None) -> dict[str, Array]:
    held = {"weight": weight} | ({} if bias is None else {"bias": bias})
    return {f"{place}.{kind}": value.numpy().astype(np.float32) for kind, value in held.items()}


def _fold(weight: Tensor, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """A convolution without bias [N, M, k, k] and the normalisation after it, as one."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return weight * scale.view(-1, 1, 1, 1), norm.bias - norm.running_mean * scale


def _conv(
    channels: int, out: int, kernel: int = 1, *, stride: int = 1, groups: int = 1
) -> nn.Conv2d:
    return nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups, bias=False)


def _block() -> nn.Sequential:
    """Filter each channel about a point, then mix the channels."""
    return nn.Sequential(
        _conv(WIDTH, WIDTH, KERNEL, groups=WIDTH),
        nn.BatchNorm2d(WIDTH),
        nn.LeakyReLU(SLOPE),
        _conv(WIDTH, WIDTH),
        nn.BatchNorm2d(WIDTH),
        nn.LeakyReLU(SLOPE),
    )


def _active(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, SLOPE)
