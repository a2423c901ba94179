"""Dropout of channels, and alpha dropout."""

import warnings

import numpy as np
import pytest

import tinygrad_cnn as tc
import tinygrad_cnn.nn.functional as F

OF_CHANNELS = {F.dropout1d: 3, F.dropout2d: 4, F.dropout3d: 5}


@pytest.mark.parametrize(("dropout", "ndim"), OF_CHANNELS.items())
def test_channels_are_kept_or_dropped_whole(dropout, ndim):
    tc.manual_seed(0)
    x = tc.ones(20, 30, *[2] * (ndim - 2), requires_grad=True)
    y = dropout(x, 0.25)
    means = y.reshape(20, 30, -1).detach().numpy()
    assert (means == means[..., :1]).all()
    assert sorted(set(means.ravel().tolist())) == [0.0, pytest.approx(4 / 3)]
    assert means.mean() == pytest.approx(1.0, abs=0.1)
    y.sum().backward()
    assert x.grad.equal(y.detach())
    assert dropout(x, 0.25, training=False) is x
    assert dropout(x, 1.0).abs().sum().item() == 0


@pytest.mark.parametrize(("dropout", "ndim"), [(F.dropout1d, 2), (F.dropout3d, 4)])
def test_images_without_batch_axis(dropout, ndim):
    tc.manual_seed(0)
    y = dropout(tc.ones(200, *[2] * (ndim - 1))).reshape(200, -1).numpy()
    assert (y == y[:, :1]).all()
    assert 50 < (y[:, 0] == 0).sum() < 150


def test_other_numbers_of_axes():
    with pytest.warns(UserWarning, match="dropout2d: Received a 3D input"):
        y = F.dropout2d(tc.ones(5, 40, 3)).numpy()
    assert (y == y[..., :1]).all()
    assert 0 < (y == 0).sum() < y.size
    with pytest.warns(UserWarning, match="dropout3d: Received a 3-D input"):
        F.dropout3d(tc.ones(5, 4, 3))
    with pytest.raises(RuntimeError, match="dropout1d: Expected 2D or 3D input"):
        F.dropout1d(tc.ones(5))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(RuntimeError, match="Feature dropout requires at least 2 dimensions"):
            F.dropout2d(tc.ones(5))
    for dropout in (*OF_CHANNELS, F.alpha_dropout):
        with pytest.raises(ValueError, match="between 0 and 1, but got 1.5"):
            dropout(tc.ones(2, 3, 4, 5), 1.5)


def test_in_place():
    x = tc.ones(8, 30, 4)
    assert F.dropout1d(x, inplace=True) is x
    assert sorted(set(x.numpy().ravel().tolist())) == [0.0, 2.0]


@pytest.mark.parametrize("p", [0.1, 0.5])
def test_alpha_dropout_keeps_mean_and_variance(p):
    tc.manual_seed(1)
    x = tc.randn(400, 500, requires_grad=True)
    y = F.alpha_dropout(x, p, training=True)
    assert y.mean().item() == pytest.approx(0.0, abs=0.02)
    assert y.std().item() == pytest.approx(1.0, abs=0.02)
    y.sum().backward()
    kept = x.grad.numpy() != 0
    assert kept.mean() == pytest.approx(1 - p, abs=0.01)
    dropped = np.unique(y.detach().numpy()[~kept].round(5))
    assert len(dropped) == 1
    assert F.alpha_dropout(x, p) is x
    assert F.alpha_dropout(x, 1.0, training=True).abs().sum().item() == 0


def test_alpha_dropout_of_channels():
    y = F.feature_alpha_dropout(tc.ones(20, 30, 4), 0.5, training=True).numpy()
    assert (y == y[..., :1]).all()
    assert len(np.unique(y)) == 2
