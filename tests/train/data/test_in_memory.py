"""A split in batches: one width for each batch, and equal shares for several processes."""

import pytest
import torch

from scriptkd_train.data.in_memory import InMemoryDataset

COUNTS = {32: 37, 48: 64, 64: 5}  # images by width
SIZES = [(32, width) for width in COUNTS]


@pytest.fixture(scope="module")
def split() -> InMemoryDataset:
    places = dict(zip(SIZES, torch.randperm(sum(COUNTS.values())).split(list(COUNTS.values())), strict=True))
    images = {
        size: torch.zeros(count, 1, *size, dtype=torch.uint8)
        for size, count in zip(SIZES, COUNTS.values(), strict=True)
    }
    return InMemoryDataset(images, {size: place % 10 for size, place in places.items()}, places)


@pytest.mark.parametrize("world", [1, 2, 3])
def test_training_shares_are_disjoint_and_alike(split: InMemoryDataset, world: int) -> None:
    shares = [list(split.batches(8, torch.Generator().manual_seed(1), rank, world)) for rank in range(world)]
    assert {len(share) for share in shares} == {split.batch_count(8, world)}
    for together in zip(*shares, strict=True):
        assert len({batch.images.shape[3] for batch in together}) == 1
        sizes = [len(batch.target) for batch in together]
        assert max(sizes) <= 8 and min(sizes) >= 2 and max(sizes) - min(sizes) <= 1
    seen = torch.cat([batch.index for share in shares for batch in share])
    assert len(seen.unique()) == len(seen)
    # What is left over of a width and gives some process fewer than two images is dropped.
    left = [count % (8 * world) for count in COUNTS.values()]
    assert len(seen) == len(split) - sum(count for count in left if count < 2 * world)


def test_shuffled_anew_with_another_generator(split: InMemoryDataset) -> None:
    first, again, other = (
        [batch.index.tolist() for batch in split.batches(8, torch.Generator().manual_seed(seed))] for seed in (1, 1, 2)
    )
    assert first == again != other


def test_in_order_nothing_is_left_out(split: InMemoryDataset) -> None:
    seen = torch.cat([batch.index for batch in split.batches(8)])
    assert torch.equal(seen, torch.cat(list(split.index.values())))
