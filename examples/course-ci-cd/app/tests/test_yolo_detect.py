import pytest

from app.yolo_detect import Box, detect, from_centre, overlap

CAT = Box(0, 0, 10, 10, "cat", 0.9)


def test_corners_from_the_centre():
    assert from_centre(5, 5, 10, 10, "cat", 0.9) == CAT


@pytest.mark.parametrize(
    ("other", "expected"),
    [(CAT, 1.0), (CAT._replace(left=20, right=30), 0.0), (CAT._replace(left=5, right=15), 1 / 3)],
)
def test_overlap(other, expected):
    assert overlap(CAT, other) == pytest.approx(expected)


def test_the_surest_of_overlapping_boxes_stays():
    doubt = CAT._replace(left=1, right=11, score=0.7)
    assert detect([doubt, CAT]) == [CAT]


def test_other_classes_may_overlap():
    dog = CAT._replace(label="dog", score=0.8)
    assert detect([CAT, dog]) == [CAT, dog]


def test_unsure_boxes_go():
    assert detect([CAT._replace(score=0.4)]) == []
