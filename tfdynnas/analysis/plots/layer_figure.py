"""The network of an arch of a layer space as a row of bars, one for each layer."""

from tfdynnas.analysis.plots import figure_file

_LAYER = 0.42  # Width of a layer with the gap behind it, inches.
_LEAST_WIDTH = 5.0  # Room for the title.
_HEIGHT = 3.0


def layer_figure(space, arch):
  """Draws an arch of a LayerSpace: a bar per layer.

  The height of a bar is the expansion, its colour the window; a layer that is left out is a dashed
  line. Ticks at the first layer and at changes of the shape show channels and size from there on.

  Returns:
    matplotlib.axes.Axes, alone in its figure.
  """
  blocks, layers = space.chosen(arch), space.skeleton.layers
  figure = figure_file.new(max(_LAYER * (len(layers) + 4), _LEAST_WIDTH), _HEIGHT)
  axes = figure.add_axes((0.09, 0.24, 0.76, 0.64))
  windows = sorted({block.window for block in space.blocks if block.expansion})
  colours = dict(zip(windows, figure_file.COLOURS * len(windows)))
  for place, block in enumerate(blocks):
    _draw(axes, place, block, colours)
  _label(axes, space, layers)
  used = sorted({block.window for block in blocks if block.expansion})
  handles = [_patch(colours[window], f"{window}x{window}") for window in used]
  if handles:
    axes.legend(handles=handles, title="window", frameon=False, fontsize=8, title_fontsize=8,
                loc="upper left", bbox_to_anchor=(1.0, 1.0))
  return axes


def _draw(axes, place, block, colours):
  if block.expansion:
    axes.bar(place, block.expansion, width=0.78, color=colours[block.window], gid=f"layer {place}")
  else:
    axes.plot([place - 0.39, place + 0.39], [0.15, 0.15], color=figure_file.FAINT, linewidth=2,
              linestyle=(0, (2, 1.5)), clip_on=False, gid=f"left out {place}")


def _label(axes, space, layers):
  """Ticks at the first layer and at new shapes, and the scale of the expansions in use."""
  firsts = [n for n, layer in enumerate(layers) if n == 0 or not layer.keeps_shape]
  axes.set_xticks(firsts)
  axes.set_xticklabels(
      [f"{layers[place].outputs}\n{_size(layers[place])}" for place in firsts], fontsize=8
  )
  axes.set_xlabel("channels and size from there on", fontsize=8, color="#555555")
  axes.set_yticks(sorted({block.expansion for block in space.blocks}))
  axes.set_ylabel("expansion", fontsize=8)
  axes.tick_params(axis="y", labelsize=8)
  axes.set_xlim(-0.7, len(layers) - 0.3)
  axes.spines[["top", "right"]].set_visible(False)


def _size(layer):
  """Height and width of a layer's output, as text."""
  height, width = layer.output_size
  return f"{height}²" if height == width else f"{height}x{width}"


def _patch(colour, label):
  from matplotlib import patches

  return patches.Patch(color=colour, label=label)
