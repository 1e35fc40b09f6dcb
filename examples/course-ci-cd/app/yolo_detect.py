"""What happens to a YOLO network's raw boxes before anybody sees them."""

from typing import NamedTuple


class Box(NamedTuple):
    """A detection: corners in pixels, the class it was taken for, and how surely."""

    left: float
    top: float
    right: float
    bottom: float
    label: str
    score: float

    @property
    def area(self):
        return max(0, self.right - self.left) * max(0, self.bottom - self.top)


def from_centre(x, y, width, height, label, score):
    """Return the Box of a detection given by its centre, as YOLO networks give it."""
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2, label, score)


def overlap(one, other):
    """Return intersection over union: 0 for boxes apart, 1 for equal ones."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.area + other.area - shared)


def detect(boxes, *, min_score=0.5, max_overlap=0.45):
    """Drop unsure boxes and, of those of one class that overlap, all but the surest."""
    kept = []
    for box in sorted(boxes, key=lambda each: each.score, reverse=True):
        if box.score < min_score:
            break
        rivals = (other for other in kept if other.label == box.label)
        if all(overlap(box, other) <= max_overlap for other in rivals):
            kept.append(box)
    return kept
