"""Frames: the names inside them."""


def test_local_names_read_from_inside():
    from visualize.frames import local

    assert local("a.b.c", "a.b") == "c"
    assert local("a.b.c", None) == "a.b.c"
    assert local("ab.c", "a") == "ab.c"
