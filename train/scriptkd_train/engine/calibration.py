"""Calibration on the validation split: the temperature that makes scores probabilities, and the threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from scriptkd_train.data.in_memory import InMemoryDataset
from scriptkd_train.engine.threshold import fit_threshold_on_logits
from scriptkd_train.models.checkpoint import Checkpoint


def calibrate(checkpoint: Checkpoint, val: InMemoryDataset, batch_size: int) -> Checkpoint:
    """Return the checkpoint with the temperature and the threshold that fit the validation split best."""
    logits, target = compute_logits(checkpoint, val, batch_size)
    temperature = fit_temperature(logits[target >= 0], target[target >= 0])
    return replace(checkpoint, temperature=temperature, threshold=fit_threshold_on_logits(logits, target, temperature))


def compute_logits(
    checkpoint: Checkpoint, split: InMemoryDataset, batch_size: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """A checkpoint's logits, float32 [N, K], and the targets, int64 [N], -1 without text, over a split."""
    network = checkpoint.build()
    logits, targets = [], []
    with torch.no_grad():
        for batch in split.batches(batch_size):
            logits.append(network(batch.images).numpy())
            targets.append(batch.target.numpy())
    return np.concatenate(logits), np.concatenate(targets)


def fit_temperature(logits: NDArray[np.floating], target: NDArray[np.int64]) -> float:
    """The temperature that minimises the cross-entropy of softmax(logits / T) (Guo et al. 2017, arXiv 1706.04599).

    logits: [N, K]; target: int [N]. One number between 0.05 and 20, by golden-section search on its logarithm.
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
