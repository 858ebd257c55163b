"""Calibration on the validation split: the temperature, which turns scores into probabilities, and the threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scriptkd_train.data.in_memory import InMemoryDataset
from scriptkd_train.engine.threshold import KEEP_RENDERED, fit_threshold_on_logits
from scriptkd_train.models.checkpoint import Checkpoint


def calibrate(checkpoint: Checkpoint, val: InMemoryDataset, batch_size: int) -> Checkpoint:
    """Fit temperatures and thresholds to the validation split.

    A network for any crop also has both for orientation. The orientation threshold keeps at least `threshold.KEEP` of
    the right answers, and turns away wrong ones.

    Args:
        checkpoint: a trained network.
        val: the validation split.
        batch_size: images per batch.

    Returns:
        The checkpoint with the best temperatures and thresholds.
    """
    (logits, target), *orientation = _run(checkpoint, val, batch_size)
    temperature = fit_temperature(logits[target >= 0], target[target >= 0])
    threshold = fit_threshold_on_logits(logits, target, temperature, KEEP_RENDERED)
    checkpoint = replace(checkpoint, temperature=temperature, threshold=threshold)
    if not orientation:
        return checkpoint
    ((logits, target),) = orientation
    logits, target = logits[target >= 0], target[target >= 0]
    temperature = fit_temperature(logits, target)
    wrong = np.where(logits.argmax(axis=1) == target, target, -1)
    threshold = fit_threshold_on_logits(logits, wrong, temperature)
    return replace(checkpoint, orientation_temperature=temperature, orientation_threshold=threshold)


def compute_logits(
    checkpoint: Checkpoint, split: InMemoryDataset, batch_size: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """A checkpoint's logits on a split, float32 [N, K], and the targets, int64 [N], -1 without text."""
    return _run(checkpoint, split, batch_size)[0]


@torch.no_grad()
def _run(
    checkpoint: Checkpoint, split: InMemoryDataset, batch_size: int
) -> list[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """Logits and targets on a split: those of scripts, then, for any crop, those of orientation, [N, 4] and [N]."""
    network = checkpoint.build()
    outputs: list[tuple[Tensor, ...]] = []
    targets: list[tuple[Tensor, ...]] = []
    for batch in split.batches(batch_size):
        outputs.append(network.forward_outputs(batch.images))
        targets.append((batch.target,) if batch.orientation is None else (batch.target, batch.orientation))
    return [
        (torch.cat(logits).numpy(), torch.cat(target).numpy())
        for logits, target in zip(zip(*outputs, strict=True), zip(*targets, strict=True), strict=True)
    ]


def fit_temperature(logits: NDArray[np.floating], target: NDArray[np.int64]) -> float:
    """The temperature that minimises the cross-entropy of softmax(logits / T) (Guo et al. 2017, arXiv 1706.04599).

    logits: [N, K]; target: int [N]. Returns a number from 0.05 to 20, found by golden-section search on its logarithm.
    """
    exact = logits.astype(np.float64)
    rows = np.arange(len(target))

    def cost(log_temperature: float) -> float:
        scaled = exact / np.exp(log_temperature)
        top = scaled.max(axis=1)
        return float(np.mean(top + np.log(np.exp(scaled - top[:, None]).sum(axis=1)) - scaled[rows, target]))

    low, high = np.log(0.05), np.log(20.0)
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(60):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if cost(left) <= cost(right) else (left, high)
    return float(np.exp((low + high) / 2))
