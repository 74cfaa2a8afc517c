"""The pieces that subnets of a layer space are made of."""

import functools

from tfdynnas.supernet import pieces as pieces_lib
from tfdynnas.supernet.layers import network


def layer_pieces(space):
  """The pieces of a layer space.

  Layers of one shape share their pieces; those that change the shape run once in a call.

  Args:
    space: spaces.LayerSpace.

  Returns:
    pieces.Pieces.
  """
  empty, pieces, rows = {}, {}, []
  for place, (layer, decision) in enumerate(zip(space.skeleton.layers, space.decisions)):
    shape = "x".join(map(str, (*layer.size, layer.inputs)))
    shape = f"{shape}_to_{layer.outputs}_stride{layer.stride}"
    times, uses = pieces_lib.TIMES if layer.keeps_shape else 1, []
    empty[f"{shape}_empty"] = functools.partial(network.block_chain, layer, None, 1)
    for choice, name in enumerate(decision.choices):
      arch = [choice if other == place else 0 for other in range(len(space.decisions))]
      block = space.chosen(arch)[place]
      uses.append({f"{shape}_{name}": 1} if block.expansion else {})
      if block.expansion:
        pieces[f"{shape}_{name}"] = pieces_lib.Piece(
            functools.partial(network.block_chain, layer, block, times), f"{shape}_empty", times)
    rows.append(tuple(uses))
  whole = functools.partial(network.layer_network, space, statistics="keras")
  return pieces_lib.Pieces(whole, empty, pieces, tuple(rows))
