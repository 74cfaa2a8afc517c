"""A layer space that is quickly trained."""

from tfdynnas import spaces

SPACE = spaces.layer_space(
    "layers",
    [spaces.Block("mb1", 1, 3), spaces.Block("mb2_5x5", 2, 5), spaces.Block("gone", 0)],
    spaces.LayerSkeleton(
        (spaces.Stage(4, 2, 2), spaces.Stage(6, 2)), stem=4, stem_stride=1, first=4, last=8,
        image_size=8, classes=10,
    ),
)
