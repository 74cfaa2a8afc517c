"""A layer space that is quickly trained.

Launchers take it as `--space=tests.small_layers:make_space`.
"""

from tfdynnas import spaces


def make_space(image_size=8, classes=10):
  """36 archs of four layers, of which the second and the fourth may be left out."""
  blocks = [spaces.Block("mb1", 1, 3), spaces.Block("mb2_5x5", 2, 5), spaces.Block("gone", 0)]
  stages = (spaces.Stage(4, 2, 2), spaces.Stage(6, 2))
  skeleton = spaces.LayerSkeleton(
      stages, stem=4, stem_stride=1, first=4, last=8, image_size=image_size, classes=classes)
  return spaces.layer_space("layers", blocks, skeleton)


SPACE = make_space()
