"""Every loss: against an independent NumPy computation in float64, on small cases by hand, and its gradients."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from scriptkd_train.losses import (
    FEATURE_LOSSES,
    SOFT_LOSSES,
    auxiliary_loss,
    averaged_logits,
    inverse_root,
    kl,
    mahalanobis_loss,
    shrunk_covariance,
    soft_loss,
    task_loss,
    total_loss,
)

N, K, WIDTH = 6, 5, 8


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def np_kl(p, q):
    return np.mean(np.sum(p * np.log(p / q), axis=1))


def np_kd(logits, teacher, y, tau):
    return tau**2 * np_kl(softmax(teacher / tau), softmax(logits / tau))


def np_dkd(logits, teacher, y, tau, alpha=1.0, beta=8.0):
    """Image by image, by the sums of the paper's section 3; without a label plain distillation."""
    total = 0.0
    for z, t, k in zip(logits, teacher, y, strict=True):
        q, p = softmax(z[None] / tau)[0], softmax(t[None] / tau)[0]
        if k < 0:
            total += np.sum(p * np.log(p / q))
            continue
        other = np.arange(len(z)) != k
        odds = p[k] * np.log(p[k] / q[k]) + (1 - p[k]) * np.log((1 - p[k]) / (1 - q[k]))
        p_other, q_other = p[other] / (1 - p[k]), q[other] / (1 - q[k])
        total += alpha * odds + beta * np.sum(p_other * np.log(p_other / q_other))
    return tau**2 * total / len(y)


def np_dist(logits, teacher, y, tau, beta=1.0, gamma=1.0):
    q, p = softmax(logits / tau), softmax(teacher / tau)
    inter = np.mean([1 - np.corrcoef(q[i], p[i])[0, 1] for i in range(len(q))])
    intra = np.mean([1 - np.corrcoef(q[:, j], p[:, j])[0, 1] for j in range(q.shape[1])])
    return tau**2 * (beta * inter + gamma * intra)


def np_standardised(logits, teacher, y, tau):
    def z(x):
        return (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, ddof=1, keepdims=True)

    return np_kd(z(logits), z(teacher), y, tau)


def np_l2(logits, teacher, y, tau):
    return np.mean(np.sum((logits - teacher) ** 2, axis=1)) / 2


NUMPY = {"kd": np_kd, "dkd": np_dkd, "dist": np_dist, "standardised": np_standardised, "l2": np_l2}


@pytest.fixture
def draw():
    """Logits and teacher's logits [N, K], labels, and two sets of features [N, WIDTH]."""
    rng = np.random.default_rng(0)
    return rng.normal(0, 3, (N, K)), rng.normal(0, 3, (N, K)), rng.integers(0, K, N), rng.normal(0, 1, (2, N, WIDTH))


def test_kl_by_hand():
    p = torch.log(torch.tensor([[0.5, 0.5]], dtype=torch.float64))
    q = torch.log(torch.tensor([[0.25, 0.75]], dtype=torch.float64))
    # 0.5 ln 2 + 0.5 ln(2/3)
    assert kl(p, q).item() == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3))
    assert kl(p, p).item() == pytest.approx(0)


@pytest.mark.parametrize("tau", [1.0, 4.0, 20.0])
@pytest.mark.parametrize("name", sorted(SOFT_LOSSES))
def test_soft_losses_against_numpy(draw, name, tau):
    logits, teacher, y, _ = draw
    ours = soft_loss(name, {})(torch.tensor(logits), torch.tensor(teacher), torch.tensor(y), tau)
    assert ours.item() == pytest.approx(NUMPY[name](logits, teacher, y, tau), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "arguments"), [("dkd", {"alpha": 0.5, "beta": 2.0}), ("dist", {"beta": 2.0, "gamma": 3.0})]
)
def test_constants_reach_the_loss(draw, name, arguments):
    logits, teacher, y, _ = draw
    ours = soft_loss(name, arguments)(torch.tensor(logits), torch.tensor(teacher), torch.tensor(y), 4.0)
    assert ours.item() == pytest.approx(NUMPY[name](logits, teacher, y, 4.0, **arguments), rel=1e-6)


@pytest.mark.parametrize("name", sorted(SOFT_LOSSES))
def test_images_without_text_take_part(draw, name):
    logits, teacher, y, _ = draw
    y = np.array([-1, *y[1:]])
    ours = soft_loss(name, {})(torch.tensor(logits), torch.tensor(teacher), torch.tensor(y), 2.0)
    assert ours.item() == pytest.approx(NUMPY[name](logits, teacher, y, 2.0), rel=1e-6)


@pytest.mark.parametrize("name", sorted(SOFT_LOSSES))
def test_a_student_that_answers_as_its_teacher_loses_nothing(draw, name):
    logits, _, y, _ = draw
    same = soft_loss(name, {})(torch.tensor(logits), torch.tensor(logits), torch.tensor(y), 4.0)
    assert same.item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", sorted(SOFT_LOSSES))
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_extreme_logits_give_finite_losses_and_gradients(name, dtype):
    """A sure teacher, whose 1 - p rounds to 0, a student that is wrong as surely, and one that says nothing at all."""
    teacher = torch.tensor([[60.0, -60, 0], [60, -60, 0], [60, -60, 0]], dtype=dtype)
    logits = torch.tensor([[60.0, -60, 0], [-60, 60, 0], [0, 0, 0]], dtype=dtype, requires_grad=True)
    loss = soft_loss(name, {})(logits, teacher, torch.tensor([0, 0, -1]), 1.0)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


def test_dkd_by_hand():
    # Teacher (1/2, 1/4, 1/4), student (1/4, 1/4, 1/2), label 0. Odds: (1/2, 1/2) against (1/4, 3/4).
    # Others: (1/2, 1/2) against (1/3, 2/3).
    teacher = torch.log(torch.tensor([[0.5, 0.25, 0.25]], dtype=torch.float64))
    student = torch.log(torch.tensor([[0.25, 0.25, 0.5]], dtype=torch.float64))
    odds = 0.5 * np.log(2) + 0.5 * np.log(2 / 3)
    others = 0.5 * np.log(3 / 2) + 0.5 * np.log(3 / 4)
    ours = soft_loss("dkd", {"alpha": 1.0, "beta": 8.0})(student, teacher, torch.tensor([0]), 1.0)
    assert ours.item() == pytest.approx(odds + 8 * others)


def test_dkd_with_the_teachers_doubt_as_beta_is_plain_distillation(draw):
    """Eq. 6 of Zhao et al.: KD = TCKD + (1 - p_y) NCKD, for every image."""
    logits, teacher, y, _ = (torch.tensor(x) for x in draw)
    for i in range(N):
        row = slice(i, i + 1)
        doubt = 1 - F.softmax(teacher[i] / 2, dim=0)[y[i]].item()
        decoupled = soft_loss("dkd", {"alpha": 1.0, "beta": doubt})(logits[row], teacher[row], y[row], 2.0)
        plain = soft_loss("kd", {})(logits[row], teacher[row], y[row], 2.0)
        assert decoupled.item() == pytest.approx(plain.item(), rel=1e-6)


def test_dist_by_hand():
    # The teacher's (2/3, 1/3), (1/3, 2/3) against the student's reverse: every correlation is -1, both terms are 2.
    teacher = torch.log(torch.tensor([[2.0, 1.0], [1.0, 2.0]], dtype=torch.float64))
    ours = soft_loss("dist", {})(teacher.flip(1), teacher, torch.tensor([0, 1]), 1.0)
    assert ours.item() == pytest.approx(4, abs=1e-6)


def test_standardised_ignores_scale_and_shift(draw):
    logits, teacher, y, _ = (torch.tensor(x) for x in draw)
    loss = soft_loss("standardised", {})
    assert loss(logits * 7 - 3, teacher, y, 2.0).item() == pytest.approx(loss(logits, teacher, y, 2.0).item())
    # (1, 0, -1) has mean 0 and deviation 1, so it stays; the teacher's (30, 0, -30) becomes the same.
    zero = loss(torch.tensor([[1.0, 0, -1]]), torch.tensor([[30.0, 0, -30]]), torch.tensor([0]), 1.0)
    assert zero.item() == pytest.approx(0, abs=1e-6)


def test_l2_by_hand():
    one, other = torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[4.0, 6.0], [0.0, 0.0]])
    assert FEATURE_LOSSES["l2"](one, other).item() == 25 / 2 / 2


@pytest.mark.parametrize("tau", [1.0, 4.0, 20.0])
@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
def test_equation_4(draw, alpha, tau):
    logits, teacher, y, _ = draw
    cross_entropy = -np.mean(np.log(softmax(logits)[np.arange(N), y]))
    expected = (1 - alpha) * cross_entropy + alpha * np_kd(logits, teacher, y, tau)
    mine, theirs, target = torch.tensor(logits), torch.tensor(teacher), torch.tensor(y)
    ours = total_loss(task_loss(mine, target), soft_loss("kd", {})(mine, theirs, target, tau), alpha)
    assert ours.item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", sorted(FEATURE_LOSSES))
def test_equation_5(draw, name):
    logits, teacher, y, (features, assistant) = draw
    mine, theirs, target = torch.tensor(logits), torch.tensor(teacher), torch.tensor(y)
    third = FEATURE_LOSSES[name](torch.tensor(features), torch.tensor(assistant))
    soft = soft_loss("kd", {})(mine, theirs, target, 4.0)
    ours = total_loss(task_loss(mine, target), soft, 0.4, [(0.3, third)])
    cross_entropy = -np.mean(np.log(softmax(logits)[np.arange(N), y]))
    match = {"kl": np_kl(softmax(assistant), softmax(features)), "l2": np_l2(features, assistant, y, 1.0)}[name]
    expected = 0.6 * cross_entropy + 0.4 * np_kd(logits, teacher, y, 4.0) + 0.3 * match
    assert ours.item() == pytest.approx(expected, abs=1e-12)


def np_ledoit_wolf(x):
    """Section 3.3 of the paper vector by vector, as lemma 3.2 to 3.4 write it: m, d^2, b^2."""
    n, p = x.shape
    x = x - x.mean(axis=0)
    s = sum(np.outer(row, row) for row in x) / n

    def norm2(a):
        return np.trace(a @ a.T) / p

    m = np.trace(s) / p
    d2 = norm2(s - m * np.eye(p))
    b2 = min(sum(norm2(np.outer(row, row) - s) for row in x) / n**2, d2)
    return b2 / d2 * m * np.eye(p) + (d2 - b2) / d2 * s


@pytest.mark.parametrize("count", [4, 30, 500])
def test_covariance_is_ledoit_and_wolfs(count):
    """Also with fewer vectors than features, and where one feature never varies: the result can be inverted."""
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, (count, 12)) @ rng.normal(0, 1, (12, 12)) + 5
    x[:, 3] = 7
    ours = shrunk_covariance(torch.tensor(x)).numpy()
    np.testing.assert_allclose(ours, np_ledoit_wolf(x), rtol=1e-9, atol=1e-12)
    root = inverse_root(torch.tensor(ours)).double().numpy()
    np.testing.assert_allclose(root @ root.T @ ours, np.eye(12), atol=1e-4)


def test_mahalanobis_against_numpy(draw):
    features, teacher = draw[3]
    rng = np.random.default_rng(2)
    x = rng.normal(0, 1, (100, WIDTH)) @ rng.normal(0, 1, (WIDTH, WIDTH))
    covariance = np_ledoit_wolf(x)
    difference = features - teacher
    expected = np.mean([d @ np.linalg.inv(covariance) @ d for d in difference]) / 2
    root = inverse_root(shrunk_covariance(torch.tensor(x))).double()
    ours = mahalanobis_loss(torch.tensor(features), torch.tensor(teacher), root)
    assert ours.item() == pytest.approx(expected, rel=1e-5)
    # In whatever units the features are: the plain distance has them, Mahalanobis' has none.
    scale = 10.0 ** np.arange(WIDTH)
    scaled = inverse_root(torch.tensor(np.cov(x.T, bias=True) * np.outer(scale, scale))).double()
    same = mahalanobis_loss(torch.tensor(features * scale), torch.tensor(teacher * scale), scaled)
    plain = np.mean([d @ np.linalg.inv(np.cov(x.T, bias=True)) @ d for d in difference]) / 2
    assert same.item() == pytest.approx(plain, rel=1e-4)


def test_vectors_that_are_all_the_same_have_no_mahalanobis_distance():
    with pytest.raises(ValueError, match="all feature vectors are the same"):
        inverse_root(shrunk_covariance(torch.ones(10, 4)))


def test_gradients_of_the_mahalanobis_loss_reach_the_student_only(draw):
    features, teacher = (torch.tensor(x, requires_grad=True) for x in draw[3])
    root = torch.rand(WIDTH, 5, dtype=torch.float64)
    mahalanobis_loss(features, teacher, root).backward()
    expected = (draw[3][0] - draw[3][1]) @ root.numpy() @ root.numpy().T / N
    np.testing.assert_allclose(features.grad.numpy(), expected, rtol=1e-9)
    assert teacher.grad is None


@pytest.mark.parametrize("name", sorted(SOFT_LOSSES))
def test_gradients_of_soft_losses_reach_the_student_only(draw, name):
    logits, teacher = (torch.tensor(x, requires_grad=True) for x in draw[:2])
    soft_loss(name, {})(logits, teacher, torch.tensor(draw[2]), 4.0).backward()
    assert logits.grad.abs().sum() > 0
    assert teacher.grad is None


@pytest.mark.parametrize("name", sorted(FEATURE_LOSSES))
def test_gradients_of_feature_losses_reach_the_student_only(draw, name):
    features, assistant = (torch.tensor(x, requires_grad=True) for x in draw[3])
    FEATURE_LOSSES[name](features, assistant).backward()
    assert features.grad.abs().sum() > 0
    assert assistant.grad is None


def test_soft_labels_of_several_teachers_are_averaged(draw):
    one, other = draw[:2]
    mixed = averaged_logits([torch.tensor(one), torch.tensor(other)], [0.25, 0.75], 4.0)
    expected = 0.25 * softmax(one / 4) + 0.75 * softmax(other / 4)
    np.testing.assert_allclose(F.softmax(mixed / 4, dim=1).numpy(), expected, rtol=1e-12)
    alone = torch.tensor(one)
    assert averaged_logits([alone], [1.0], 4.0) is alone


def test_task_loss_is_cross_entropy_and_asks_for_equal_shares_where_there_is_no_text():
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3]], dtype=torch.float64)
    log_p = np.log(softmax(logits.numpy()))
    labelled = task_loss(logits, torch.tensor([0, 2]), label_smoothing=0.1).item()
    assert labelled == pytest.approx(F.cross_entropy(logits, torch.tensor([0, 2]), label_smoothing=0.1).item())
    mixed = task_loss(logits, torch.tensor([0, -1])).item()
    assert mixed == pytest.approx(-(log_p[0, 0] + log_p[1].mean()) / 2)
    assert auxiliary_loss(logits, torch.tensor([0, -1])).item() == pytest.approx(0.4 * mixed)
