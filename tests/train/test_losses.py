"""The paper's equations against an independent NumPy computation in float64, small cases by hand, and gradients."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from scriptkd_train.losses import distillation_loss, feature_loss, kl, soft_label_loss, student_loss, task_loss


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def np_kl(p, q):
    return np.mean(np.sum(p * np.log(p / q), axis=1))


def np_distillation(logits, y, teacher, alpha, tau):
    ce = -np.mean(np.log(softmax(logits)[np.arange(len(y)), y]))
    return (1 - alpha) * ce + alpha * tau**2 * np_kl(softmax(teacher / tau), softmax(logits / tau))


@pytest.fixture
def draw():
    rng = np.random.default_rng(0)
    return rng.normal(0, 3, (6, 5)), rng.normal(0, 3, (6, 5)), rng.integers(0, 5, 6), rng.normal(0, 1, (2, 6, 8))


def test_kl_by_hand():
    p = torch.log(torch.tensor([[0.5, 0.5]], dtype=torch.float64))
    q = torch.log(torch.tensor([[0.25, 0.75]], dtype=torch.float64))
    # 0.5 ln 2 + 0.5 ln(2/3)
    assert kl(p, q).item() == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3))
    assert kl(p, p).item() == pytest.approx(0)


@pytest.mark.parametrize("tau", [1.0, 4.0, 20.0])
@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
def test_equation_4(draw, alpha, tau):
    logits, teacher, y, _ = draw
    ours = distillation_loss(torch.tensor(logits), torch.tensor(y), torch.tensor(teacher), alpha, tau)
    assert ours.item() == pytest.approx(np_distillation(logits, y, teacher, alpha, tau), abs=1e-12)


def test_equation_5(draw):
    logits, teacher, y, (features, assistant) = draw
    ours = student_loss(
        torch.tensor(logits), torch.tensor(features), torch.tensor(y), torch.tensor(teacher), torch.tensor(assistant),
        alpha=0.4, tau=4.0, feature_weight=0.4,
    )  # fmt: skip
    expected = np_distillation(logits, y, teacher, 0.4, 4.0) + 0.4 * np_kl(softmax(assistant), softmax(features))
    assert ours.item() == pytest.approx(expected, abs=1e-12)


def test_alpha_0_is_plain_cross_entropy(draw):
    logits, teacher, y, _ = draw
    ours = distillation_loss(torch.tensor(logits), torch.tensor(y), torch.tensor(teacher), 0.0, 4.0)
    assert ours.item() == pytest.approx(torch.nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(y)).item())


def test_gradients_reach_the_student_only(draw):
    logits, teacher, features, assistant = (
        torch.tensor(x, requires_grad=True) for x in (draw[0], draw[1], draw[3][0], draw[3][1])
    )
    (soft_label_loss(logits, teacher, torch.tensor(draw[2]), 4.0) + feature_loss(features, assistant)).backward()
    assert logits.grad.abs().sum() > 0
    assert features.grad.abs().sum() > 0
    assert teacher.grad is None
    assert assistant.grad is None


def test_task_loss_is_cross_entropy_and_asks_for_equal_shares_where_there_is_no_text():
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3]], dtype=torch.float64)
    log_p = np.log(np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(axis=1, keepdims=True))
    labelled = task_loss(logits, torch.tensor([0, 2]), label_smoothing=0.1).item()
    assert labelled == pytest.approx(F.cross_entropy(logits, torch.tensor([0, 2]), label_smoothing=0.1).item())
    mixed = task_loss(logits, torch.tensor([0, -1])).item()
    assert mixed == pytest.approx(-(log_p[0, 0] + log_p[1].mean()) / 2)
