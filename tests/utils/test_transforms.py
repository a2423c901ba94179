"""Image transforms: by hand, against recordings of torchvision, and batches image by image."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_cnn as tc
from tinygrad_cnn.utils.transforms import (
    CenterCrop,
    Compose,
    Lambda,
    Normalize,
    Pad,
    RandomCrop,
    RandomHorizontalFlip,
    RandomVerticalFlip,
    ToTensor,
)

LAYOUTS = {"HW": (5, 6), "HWC": (5, 6, 3), "NHWC": (4, 5, 6, 3)}
layouts = st.sampled_from(sorted(LAYOUTS))
seeds = st.integers(0, 2**32)


def image(layout, seed=0):
    return np.random.default_rng(seed).integers(0, 256, LAYOUTS[layout], np.uint8)


def as_tensor(array):
    """The same image as a Tensor of bytes, (.., H, W)."""
    return tc.from_numpy(
        np.ascontiguousarray(np.moveaxis(array, -1, -3)) if array.ndim > 2 else array
    )


SOME = [
    Pad(2), Pad((1, 2), 7), Pad((1, 0, 2, 3), padding_mode="edge"), Pad(3, padding_mode="reflect"),
    Pad([2], padding_mode="symmetric"), CenterCrop(3), CenterCrop((2, 9)), CenterCrop([4]),
    RandomCrop(4), RandomCrop((5, 6)), RandomCrop(6, padding=3, fill=9),
    RandomCrop((8, 4), 1, True), RandomCrop(9, (1, 0, 0, 2), True, padding_mode="reflect"),
    RandomHorizontalFlip(), RandomVerticalFlip(0.5), RandomHorizontalFlip(1.0),
    Compose([RandomCrop(4), RandomHorizontalFlip()]), Lambda(lambda x: x),
]  # fmt: skip


@pytest.mark.parametrize("transform", SOME, ids=repr)
@given(layouts, seeds)
def test_arrays_and_tensors_are_treated_alike(transform, layout, seed):
    array = image(layout, seed)
    before = array.copy()
    tc.manual_seed(seed)
    wanted = transform(array)
    tc.manual_seed(seed)
    found = transform(as_tensor(array))
    assert isinstance(wanted, np.ndarray)
    assert wanted.dtype == np.uint8
    assert wanted.flags.c_contiguous
    assert found.equal(as_tensor(wanted))
    assert np.array_equal(array, before)


@given(seeds)
def test_each_image_of_a_batch_is_cut_and_turned_for_itself(seed):
    array = image("NHWC", seed)
    tc.manual_seed(seed)
    for small, whole in zip(RandomCrop(3)(array), array, strict=True):
        assert any((small == whole[i : i + 3, j : j + 3]).all()
                   for i in range(3) for j in range(4))  # fmt: skip
    for turned, whole in zip(RandomHorizontalFlip()(array), array, strict=True):
        assert (turned == whole).all() or (turned == whole[:, ::-1]).all()


def test_all_places_and_both_sides_come_up():
    tc.manual_seed(0)
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert {int(RandomCrop(1)(array)[0, 0]) for _ in range(200)} == set(range(6))
    batch = np.broadcast_to(array[..., None], (200, 2, 3, 1))
    assert set(RandomCrop(1)(batch).ravel().tolist()) == set(range(6))
    corners = RandomHorizontalFlip(0.25)(batch)[:, 0, 0, 0]
    assert 25 < (corners == 2).sum() < 75
    corners = RandomVerticalFlip(0.75)(batch)[:, 0, 0, 0]
    assert 125 < (corners == 3).sum() < 175
    for p, wanted in ((0.0, 0), (1.0, 2)):
        assert {int(RandomHorizontalFlip(p)(array)[0, 0]) for _ in range(20)} == {wanted}


def test_by_hand():
    x = np.array([[1, 2], [3, 4]], np.uint8)
    assert Pad((1, 0))(x).tolist() == [[0, 1, 2, 0], [0, 3, 4, 0]]
    assert Pad((0, 1, 2, 0), 9)(x).tolist() == [[9, 9, 9, 9], [1, 2, 9, 9], [3, 4, 9, 9]]
    assert Pad((1, 0), padding_mode="edge")(x).tolist() == [[1, 1, 2, 2], [3, 3, 4, 4]]
    assert Pad((1, 0), padding_mode="reflect")(x).tolist() == [[2, 1, 2, 1], [4, 3, 4, 3]]
    colours = Pad(1, fill=(7, 8))(np.zeros((1, 1, 2), np.uint8))
    assert colours[0, 0].tolist() == [7, 8]
    assert colours[1, 1].tolist() == [0, 0]
    assert CenterCrop((2, 3))(x).tolist() == [[1, 2, 0], [3, 4, 0]]
    # round half to even, as torchvision: of 5 rows 2 begin at round(1.5) = 2, of 4 1 at 2
    assert CenterCrop((2, 1))(np.arange(20).reshape(5, 4)).tolist() == [[10], [14]]
    assert RandomCrop(2)(x).tolist() == x.tolist()


@given(layouts, seeds)
def test_to_tensor(layout, seed):
    array = image(layout, seed)
    y = ToTensor()(array)
    planes = np.moveaxis(array, -1, -3) if array.ndim > 2 else array[None]
    assert y.dtype == tc.float32
    assert (y.numpy() == (planes.astype(np.float32) / 255)).all()
    assert y.numpy().flags.c_contiguous
    kept = ToTensor()(array.astype(np.float64))
    assert kept.dtype == tc.float64
    assert (kept.numpy() == planes).all()
    assert not np.shares_memory(ToTensor()(array.astype(np.int64)).numpy(), array)
    assert ToTensor()(array[::-1, ::-1]).shape == y.shape


def test_normalize():
    x = tc.tensor(np.arange(12.0).reshape(3, 2, 2))
    y = Normalize((1.0, 2.0, 3.0), (0.5, 1.0, 2.0))(x)
    assert y[:, 0, 0].tolist() == [-2.0, 2.0, 2.5]
    assert Normalize([0.0], [2.0])(tc.ones(2, 3, 4, 4)).equal(tc.full((2, 3, 4, 4), 0.5))
    assert Normalize(1, 2, inplace=True)(x) is x
    assert x[0, 0, 0].item() == -0.5
    assert Normalize(0.1, 0.3)(tc.ones(1, 1, 1)).dtype == tc.float32


def test_a_whole_pipeline_in_a_loader_is_the_same_in_threads():
    steps = [RandomCrop(5, padding=2), RandomHorizontalFlip(), ToTensor(), Normalize(0.5, 0.25)]

    class Images(tc.utils.data.Dataset):
        def __len__(self):
            return 9

        def __getitem__(self, i):
            return Compose(steps)(image("HWC", i)), i

    found = []
    for workers in (0, 2):
        tc.manual_seed(3)
        batches = tc.utils.data.DataLoader(Images(), 4, shuffle=True, num_workers=workers)
        found.append(tc.cat([x for x, _ in batches]))
    assert found[0].shape == (9, 3, 5, 5)
    assert found[0].equal(found[1])


def test_anything_with_an_array_inside_is_an_image():
    class Picture:  # as in PIL
        pixels = np.full((2, 2), 255, np.uint8)
        __array_interface__ = pixels.__array_interface__

    assert ToTensor()(Picture()).tolist() == [[[1.0, 1.0], [1.0, 1.0]]]
    assert CenterCrop(1)(Picture()).tolist() == [[255]]


def test_text_is_torchvisions():
    assert repr(Compose([RandomCrop(32, padding=4), RandomHorizontalFlip(), ToTensor(),
                         Normalize((0.5,), (0.25,)), Pad(1), CenterCrop(2)])) == (
        "Compose(\n    RandomCrop(size=(32, 32), padding=4)\n    RandomHorizontalFlip(p=0.5)\n"
        "    ToTensor()\n    Normalize(mean=(0.5,), std=(0.25,))\n"
        "    Pad(padding=1, fill=0, padding_mode=constant)\n    CenterCrop(size=(2, 2))\n)"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ToTensor()(tc.ones(2, 2)), TypeError, "pic should be PIL Image or ndarray. Got"),
        (lambda: ToTensor()([1]), TypeError, "pic should be PIL Image or ndarray. Got"),
        (lambda: ToTensor()(np.ones(3)), ValueError, r"2 to 4 axes, got shape \(3,\)"),
        (lambda: Pad(1)([1]), TypeError, "img should be a Tensor or an array"),
        (lambda: Pad((1, 2, 3)), ValueError, "1, 2, or 4 element tuple, not a 3 element"),
        (lambda: Pad(1, padding_mode="x"), ValueError, "Padding mode should be either constant"),
        (lambda: CenterCrop((1, 2, 3)), ValueError, "Please provide only two dimensions"),
        (lambda: RandomCrop(3)(np.ones((2, 5))), ValueError,
         r"Required crop size \(3, 3\) is larger than input image size \(2, 5\)"),
        (lambda: Normalize(0, 1)(np.ones((1, 2, 2))), TypeError, "should be Tensor Image. Got"),
        (lambda: Normalize(0, 1)(tc.ones(1, 2, 2, dtype=tc.int64)), TypeError, "a float tensor"),
        (lambda: Normalize(0, 1)(tc.ones(2, 2)), ValueError, r"of size \(..., C, H, W\)"),
        (lambda: Normalize(0, 0)(tc.ones(1, 2, 2)), ValueError, "std evaluated to zero after"),
        (lambda: Lambda(3), TypeError, "Argument lambd should be callable, got 'int'"),
        (lambda: Pad(1)(tc.ones(2, 2, requires_grad=True)), RuntimeError, "requires grad, detach"),
    ],
)  # fmt: skip
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()
