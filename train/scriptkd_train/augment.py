"""Augmentation of whole batches: each image gets its own draw. float [N, C, H, W] in 0..255 in and out.

`photometric` is the paper's ("random brightness and contrast"); `text` adds what cropping and cameras do to words.
Letters are never mirrored or turned far: that would change the label.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def augment(images: Tensor, kind: str, generator: torch.Generator) -> Tensor:
    """Applies `none`, `photometric` or `text` to uint8 or float images; returns float images."""
    pixels = images.float()
    if kind == "none":
        return pixels
    if kind == "text":
        pixels = _geometry(pixels, generator)
        pixels = _soften(pixels, generator)
    pixels = _photometric(pixels, generator)
    if kind == "text":
        pixels = _invert(pixels, generator)
        pixels = _grain(pixels, generator)
        pixels = _patch(pixels, generator)
    return pixels.clamp(0, 255)


def _uniform(images: Tensor, low: float, high: float, generator: torch.Generator) -> Tensor:
    """One number an image, [N, 1, 1, 1]."""
    draw = torch.rand(len(images), 1, 1, 1, generator=generator)
    return (low + (high - low) * draw).to(images.device)


def _chosen(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """True for about `share` of the images, [N, 1, 1, 1]."""
    return (torch.rand(len(images), 1, 1, 1, generator=generator) < share).to(images.device)


def _photometric(images: Tensor, generator: torch.Generator) -> Tensor:
    """Brightness +-20 % of the range and contrast 0.8 to 1.2 about the image's mean (the paper gives no strengths)."""
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    contrast = _uniform(images, 0.8, 1.2, generator)
    return (images - mean) * contrast + mean + _uniform(images, -51, 51, generator)


def _geometry(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shift, scale, slant and a little turn, as another annotator would have cropped the word."""
    count, _, height, width = images.shape
    draw = torch.rand(count, 6, generator=generator) * 2 - 1
    scale_x, scale_y = torch.exp(0.10 * draw[:, 0]), torch.exp(0.12 * draw[:, 1])
    slant, turn = 0.15 * draw[:, 2], 0.04 * draw[:, 3]
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = scale_x, slant * height / width
    theta[:, 1, 0], theta[:, 1, 1] = turn * width / height, scale_y
    theta[:, 0, 2], theta[:, 1, 2] = 0.05 * draw[:, 4], 0.08 * draw[:, 5]
    grid = F.affine_grid(theta.to(images.device), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _soften(images: Tensor, generator: torch.Generator) -> Tensor:
    """A 3x3 box blur, mixed in by a random amount, for a third of the images."""
    soft = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    amount = _uniform(images, 0, 1, generator) * _chosen(images, 0.33, generator)
    return images + (soft - images) * amount


def _invert(images: Tensor, generator: torch.Generator) -> Tensor:
    """Light on dark for dark on light: script does not depend on polarity."""
    return torch.where(_chosen(images, 0.3, generator), 255 - images, images)


def _grain(images: Tensor, generator: torch.Generator) -> Tensor:
    """Gaussian noise of up to 14 gray levels for a third of the images."""
    noise = torch.randn(images.shape, generator=generator).to(images.device)
    return images + noise * _uniform(images, 0, 14, generator) * _chosen(images, 0.33, generator)


def _patch(images: Tensor, generator: torch.Generator) -> Tensor:
    """Hides a strip of up to a fifth of the width, in a quarter of the images: no single letter may decide."""
    width = images.shape[3]
    columns = torch.arange(width, device=images.device).view(1, 1, 1, width) / width
    start, size = _uniform(images, 0, 1, generator), _uniform(images, 0.05, 0.2, generator)
    hidden = (columns >= start) & (columns < start + size) & _chosen(images, 0.25, generator)
    return torch.where(hidden, images.mean(dim=(1, 2, 3), keepdim=True), images)
