"""Augmentation of whole batches, with a draw of its own for each image. Input and output: float [N, C, H, W] in 0..255.

`photometric` is the paper's augmentation ("random brightness and contrast"). `text` adds the effects of cropping and of
cameras. Letters are never mirrored, since a mirrored letter may be another script's. `half_turn` is for networks that
learn orientation.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def augment(images: Tensor, kind: str, generator: torch.Generator) -> Tensor:
    """Applies `none`, `photometric` or `text` to uint8 or float images; returns float images."""
    pixels = images.float()
    if kind == "none":
        return pixels
    if kind == "text":
        pixels = _affine(pixels, generator)  # a copy, which the following steps may change in place
        _apply_to_subset(pixels, 0.33, _blur, generator)
    pixels = _photometric(pixels, generator)
    if kind == "text":
        _apply_to_subset(pixels, 0.3, _invert, generator)
        _apply_to_subset(pixels, 0.33, _noise, generator)
        _apply_to_subset(pixels, 0.25, _mask_strip, generator)
    return pixels.clamp_(0, 255)


def half_turn(images: Tensor, orientation: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Turn about half of the images upside down, for networks that learn any crop.

    images: [N, C, H, W]. orientation: int64 [N], quarter turns clockwise, -1 if unknown. Returns new tensors of both.
    """
    chosen = (torch.rand(len(images), generator=generator) < 0.5).to(images.device)
    turned = torch.where(chosen.view(-1, 1, 1, 1), images.flip(2, 3), images)
    return turned, torch.where(chosen & (orientation >= 0), (orientation + 2) % 4, orientation)


def _apply_to_subset(
    images: Tensor, share: float, change: Callable[[Tensor, torch.Generator], Tensor], generator: torch.Generator
) -> None:
    """Change about `share` of the images in place; the others cost nothing."""
    chosen = (torch.rand(len(images), generator=generator) < share).nonzero().squeeze(1).to(images.device)
    if len(chosen):
        images[chosen] = change(images[chosen], generator)


def _uniform(images: Tensor, low: float, high: float, generator: torch.Generator) -> Tensor:
    """One number per image, [N, 1, 1, 1]."""
    draw = torch.rand(len(images), 1, 1, 1, generator=generator)
    return (low + (high - low) * draw).to(images.device)


def _photometric(images: Tensor, generator: torch.Generator) -> Tensor:
    """Brightness ±20 % of the range, and contrast 0.8 to 1.2 about the image's mean. The paper gives no strengths."""
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    contrast = _uniform(images, 0.8, 1.2, generator)
    return images * contrast + (mean * (1 - contrast) + _uniform(images, -51, 51, generator))


def _affine(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shift, scale, slant and slight rotation, as if another annotator had cropped the word."""
    count, _, height, width = images.shape
    draw = (torch.rand(count, 6, generator=generator) * 2 - 1).to(images.device).view(count, 6, 1, 1)
    scale_x, scale_y = torch.exp(0.10 * draw[:, 0]), torch.exp(0.12 * draw[:, 1])
    slant, turn = 0.15 * height / width * draw[:, 2], 0.04 * width / height * draw[:, 3]
    # Pixel centres in -1..1, as grid_sample counts them. F.affine_grid takes twice as long.
    x = ((torch.arange(width, device=images.device) * 2 + 1) / width - 1).view(1, 1, width)
    y = ((torch.arange(height, device=images.device) * 2 + 1) / height - 1).view(1, height, 1)
    across = scale_x * x + (slant * y + 0.05 * draw[:, 4])
    down = turn * x + (scale_y * y + 0.08 * draw[:, 5])
    grid = torch.stack((across, down), dim=-1)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _blur(images: Tensor, generator: torch.Generator) -> Tensor:
    """A 3x3 box blur, blended in by a random amount."""
    soft = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return images + (soft - images) * _uniform(images, 0, 1, generator)


def _invert(images: Tensor, generator: torch.Generator) -> Tensor:
    """Invert the image: the script does not depend on polarity."""
    return 255 - images


def _noise(images: Tensor, generator: torch.Generator) -> Tensor:
    """Gaussian noise of up to 14 gray levels."""
    noise = torch.randn(images.shape, generator=generator).to(images.device)
    return images + noise * _uniform(images, 0, 14, generator)


def _mask_strip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Hide a strip of up to a fifth of the width, so that no single letter decides."""
    width = images.shape[3]
    columns = torch.arange(width, device=images.device).view(1, 1, 1, width) / width
    start, size = _uniform(images, 0, 1, generator), _uniform(images, 0.05, 0.2, generator)
    hidden = (columns >= start) & (columns < start + size)
    return torch.where(hidden, images.mean(dim=(1, 2, 3), keepdim=True), images)
