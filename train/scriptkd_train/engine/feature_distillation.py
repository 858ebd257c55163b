"""Feature distillation: losses that compare feature maps of student and teacher at named points.

The slides "CNN-DBLSTM compression" (table "Criterion") name five distillation positions. Two of them are outputs,
chosen by `distil.loss`: `kd` for the softmax outputs, at one or several tau, and `l2` for the last linear layer. The
other three are points of `networks.FEATURE_MAPS`, which a recipe lists in `distil.match`: `lstm_output`, `lstm_input`
and `conv_output`. A fourth point is `features`, from eq. 5 of the main paper.

CNN-MAH, the best loss on the slides, is `match: {lstm_input: {loss: ...}}`. The slides allow two interpretations:
- `mahalanobis`: the metric is the inverse covariance of the teacher's columns. The covariance is estimated on up to
  1,024 training images without augmentation, drawn by the run's seed, with Ledoit & Wolf's shrinkage. Features that
  never vary in the teacher get the largest weight. If most features never fire, the student learns only to keep these
  at zero.
- `feedforward`: the slides match "feed-forward inputs of the 1st LSTM layer", W x of both directions. The squared
  distance between these inputs is a Mahalanobis distance between the columns x, with metric W^T W. This metric needs no
  images.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from scriptkd_sdk.errors import ArgumentError
from scriptkd_sdk.preprocess import Preprocessing
from scriptkd_train.data.in_memory import InMemoryDataset
from scriptkd_train.losses import FEATURE_LOSSES, FeatureLoss, inverse_root, mahalanobis_loss, shrunk_covariance
from scriptkd_train.models.networks import Network

COVARIANCE_IMAGES = 1024
_BATCH = 64


def as_vectors(tap: Tensor) -> Tensor:
    """[N, F], [N, W, F] or [N, F, H, W] -> [M, F], one row per position."""
    return (tap.permute(0, 2, 3, 1) if tap.ndim == 4 else tap).flatten(0, -2)


@torch.no_grad()
def feature_widths(
    student: tuple[Network, Preprocessing], teacher: tuple[Network, Preprocessing], points: Iterable[str], where: str
) -> dict[str, tuple[int, int]]:
    """Point -> F of the student and of the teacher, found with blank images. Works on the meta device too.

    Raises:
        ArgumentError: a network lacks a point, or the two networks have different numbers of positions at it.
    """
    widths: dict[str, tuple[int, int]] = {}
    sizes = [(preprocessing.width_min, preprocessing.width_max) for _, preprocessing in (student, teacher)]
    for narrow_and_wide in zip(*sizes, strict=True):
        mine, theirs = (_shapes(*each, width) for each, width in zip((student, teacher), narrow_and_wide, strict=True))
        for point in points:
            for who, feature_maps in (("its network", mine), ("its teacher", theirs)):
                if point not in feature_maps:
                    raise ArgumentError(f"{where}: {who} has no point {point!r}; it has {', '.join(feature_maps)}")
            (positions, width), (their_positions, their_width) = mine[point], theirs[point]
            if positions != their_positions:
                raise ArgumentError(
                    f"{where}: {point} has {_times(positions)} positions, its teacher's has {_times(their_positions)}; "
                    "only equal positions can be matched"
                )
            widths[point] = (width, their_width)
    return widths


def build_feature_loss(
    fabric: Fabric, name: str, point: str, teacher: Network, train: InMemoryDataset, generator: torch.Generator
) -> FeatureLoss:
    """Build the named feature loss, with its metric if it has one. The teacher is in eval mode, on the device.

    Raises:
        ArgumentError: `feedforward` with a teacher without LSTM, or `mahalanobis` with vectors without variance.
    """
    if name in FEATURE_LOSSES:
        return FEATURE_LOSSES[name]
    if name == "feedforward":
        return partial(mahalanobis_loss, root=_input_matrices(teacher))
    try:
        root = inverse_root(shrunk_covariance(_sample(fabric, point, teacher, train, generator)))
    except ValueError as error:
        raise ArgumentError(f"match at {point}: {error}") from error
    return partial(mahalanobis_loss, root=root)


def _input_matrices(teacher: Network) -> Tensor:
    """W^T of the first LSTM layer, [F, 8 hidden], with the directions side by side. x W^T are the layer's inputs."""
    lstm = next((module for module in teacher.modules() if isinstance(module, nn.LSTM)), None)
    if lstm is None:
        raise ArgumentError("match with loss 'feedforward' needs a teacher with an LSTM")
    directions = ("", "_reverse") if lstm.bidirectional else ("",)
    return torch.cat([getattr(lstm, f"weight_ih_l0{direction}") for direction in directions]).detach().T.contiguous()


@torch.no_grad()
def _sample(fabric: Fabric, point: str, teacher: Network, train: InMemoryDataset, generator: torch.Generator) -> Tensor:
    """The teacher's vectors at a point, [M, F], on at most COVARIANCE_IMAGES images."""
    vectors: list[Tensor] = []
    images = 0
    for batch in train.batches(_BATCH, generator):
        vectors.append(as_vectors(teacher.forward_feature_maps(fabric.to_device(batch.images))[1][point]))
        images += len(batch.target)
        if images >= COVARIANCE_IMAGES:
            break
    return torch.cat(vectors)


def _shapes(network: Network, preprocessing: Preprocessing, width: int) -> dict[str, tuple[tuple[int, ...], int]]:
    """Point -> its positions, () for a single vector, and F, for images of a given width."""
    training = network.training
    device = next(network.parameters()).device
    blank = torch.zeros(1, preprocessing.channels, preprocessing.height, width, dtype=torch.uint8, device=device)
    feature_maps = network.eval().forward_feature_maps(blank)[1]
    network.train(training)
    channels_last = {name: tap.permute(0, 2, 3, 1) if tap.ndim == 4 else tap for name, tap in feature_maps.items()}
    return {name: (tuple(tap.shape[1:-1]), tap.shape[-1]) for name, tap in channels_last.items()}


def _times(positions: tuple[int, ...]) -> str:
    return "x".join(map(str, positions)) or "1"
