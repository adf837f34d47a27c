"""Where the detector looks: one point per output row, and boxes as distances from it."""

from typing import Final

import torch
from torch import Tensor

# Pixels of a side of what the network sees, here and in the file that ships. The starting model
# was made for 416; of convolutions only, it finds small things in clutter better at 512.
SIZE: Final = 512
MEAN: Final = (103.53, 116.28, 123.675)  # of the input's channels, blue-green-red, and how far
STD: Final = (57.375, 57.12, 58.395)  # they spread: the starting model's
STRIDES: Final = (8, 16, 32)  # of the learnt branch
BINS: Final = 8  # distances of 0..7 strides, as a distribution over eight bins


def points(size: int = SIZE) -> Tensor:
    """All points, finest stride first: [5376, 3] of x, y (input pixels) and stride."""
    rows = []
    for stride in STRIDES:
        n = -(-size // stride)
        steps = torch.arange(n, dtype=torch.float32) * stride
        y, x = torch.meshgrid(steps, steps, indexing="ij")
        rows.append(torch.stack([x, y, torch.full_like(x, stride)], -1).reshape(-1, 3))
    return torch.cat(rows)


def decode_boxes(raw: Tensor, at: Tensor) -> Tensor:
    """Box logits [..., N, 4 * BINS] at points [N, 3] -> corners [..., N, 4] in input pixels.

    The distance of a side is the mean of its bins (Generalized Focal Loss, arXiv:2006.04388).
    """
    bins = torch.arange(BINS, dtype=raw.dtype, device=raw.device)
    distances = (raw.unflatten(-1, (4, BINS)).softmax(-1) * bins).sum(-1) * at[:, 2:]
    return torch.cat([at[:, :2] - distances[..., :2], at[:, :2] + distances[..., 2:]], -1)


def encode_boxes(boxes: Tensor, at: Tensor) -> Tensor:
    """Corners [N, 4] -> distances [N, 4] in strides, kept inside what the bins can say."""
    distances = torch.cat([at[:, :2] - boxes[:, :2], boxes[:, 2:] - at[:, :2]], -1) / at[:, 2:]
    return distances.clamp(0, BINS - 1 - 0.01)


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """Overlap of every box of a [N, 4] with every box of b [M, 4]: [N, M]."""
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = (high - low).clamp(min=0).prod(-1)
    area_a = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(-1)
    area_b = (b[:, 2:] - b[:, :2]).clamp(min=0).prod(-1)
    return inter / (area_a[:, None] + area_b[None] - inter).clamp(min=1e-6)
