"""Settings of the jobs on a trained supernet: scores, search, ranks, latency, the found network."""

import dataclasses
import re

from tfdynnas import class_accuracy
from tfdynnas import errors
from tfdynnas import registry
from tfdynnas.config.option import LARGEST
from tfdynnas.config.option import MOST_ARCHS
from tfdynnas.config.option import MOST_BATCH
from tfdynnas.config.option import Config
from tfdynnas.config.option import given
from tfdynnas.config.option import option
from tfdynnas.config.option import when

SAVED_MODEL = "saved_model"  # The format of TensorFlow Serving.
WEIGHTS = ("none", "balanced")
WEIGHTS_HELP = (
    "Weight of an image in the loss: 1, or images / (classes * images of its class). For supernet "
    "and subnet."
)


@dataclasses.dataclass(frozen=True)
class NarrowConfig(Config):
  """The restriction of a space to some choices."""

  fix: str | None = option(
      None, "Choices that are left, as 0=nor_conv_3x3,1=none+skip_connect,*!=avg_pool_3x3: "
      "decisions by name or number, * is all that have the choice; none: all choices.", unset="",
  )


@dataclasses.dataclass(frozen=True)
class ScoreConfig(Config):
  """Scores of archs with inherited weights."""

  score_images: int | None = option(
      None, "Validation images to score on; none: all.", least=1, most=10**9, unset=0,
  )
  score_batch: int = option(256, "Images per batch of a score.", least=2, most=MOST_BATCH)
  calibration: int | None = option(
      None, "Training images from which the statistics of normalisation are taken; none: those of "
      "each batch.", least=1, most=10**9, unset=0,
  )
  objective: str = option(
      "accuracy", "Score of an arch: the share of images that are right, or the mean of that share "
      "over the classes.", choices=class_accuracy.OBJECTIVES,
  )

  def __post_init__(self):
    super().__post_init__()
    if self.score_images == 1 and not self.calibration or self.calibration == 1:
      raise errors.InputError(
          "`score_images`, or `calibration` if it is given, must be 0 or >= 2: statistics are of "
          f"several. Received: score_images={self.score_images}, calibration={self.calibration}"
      )


@dataclasses.dataclass(frozen=True)
class SearchConfig(ScoreConfig, NarrowConfig):
  """The search for archs."""

  search: str = option(
      "evolution", "Search for the most accurate arch, or for the front of accuracy and costs.",
      choices=("evolution", "pareto"),
  )
  pareto_costs: tuple | None = option(
      ("params",), "Kinds of cost of the front: params, macs, bytes, latency.",
      rules=(when("search", "pareto"),),
  )
  search_seed: int = option(0, "Seed of the search.", least=0, below=2**32)
  trials: int = option(1050, "Most archs to score.", least=1, most=MOST_ARCHS)
  population: int = option(50, "Archs of one generation.", least=2, most=MOST_ARCHS)
  parents: int | None = option(
      10, "Best archs so far from which the next generation is bred.", least=1, most=MOST_ARCHS,
      rules=(when("search", "evolution"),),
  )
  mutants: int = option(25, "Mutants in a generation.", least=0, most=MOST_ARCHS)
  crossovers: int = option(25, "Crossovers in a generation.", least=0, most=MOST_ARCHS)
  mutation: float = option(
      0.1, "Probability that a choice of a mutant is drawn anew.", least=0, most=1,
  )
  unconnected: bool = option(
      False, "Propose also archs through which no signal passes from input to output.",
  )
  max_params: int | None = option(
      None, "Most params of the network; none: no limit.", least=1, most=LARGEST, unset=0,
  )
  max_macs: int | None = option(
      None, "Most multiply-accumulates for one image; none: no limit.", least=1, most=LARGEST,
      unset=0,
  )
  max_bytes: int | None = option(
      None, "Most bytes of the weights, 4 a param; none: no limit.", least=1, most=LARGEST, unset=0,
  )
  max_latency: float | None = option(
      None, "Most milliseconds by --latency_table; none: no limit.", above=0, unset=0.0,
  )
  latency_table: str | None = option(
      None, "Latency table that tools/measure_latency.py wrote.", path=True, unset="",
  )
  lost_seconds: float = option(
      120.0, "Several processes: seconds of silence after which one counts as lost.", above=0,
  )

  def __post_init__(self):
    super().__post_init__()
    self._check_costs()
    if self.mutants + self.crossovers > self.population:
      raise errors.InputError(
          "`mutants` + `crossovers` must be <= `population`. Received: "
          f"{self.mutants} + {self.crossovers} > {self.population}"
      )

  def _check_costs(self):
    """Refuses unknown costs of a front, and latency without its table."""
    kinds = ("params", "macs", "bytes", "latency")
    costs = self.pareto_costs
    if costs is None:
      costs = ("params",)
    if not costs or len(set(costs)) < len(costs) or not set(costs) <= set(kinds):
      raise errors.InputError(
          f"`pareto_costs` must be some of {', '.join(kinds)}, each once. "
          f"Received: {','.join(costs)!r}"
      )
    if not self.latency_table and (self.max_latency or "latency" in costs):
      raise errors.InputError(
          "`max_latency`, and `pareto_costs` with latency, need `latency_table`. Received: none"
      )


@dataclasses.dataclass(frozen=True)
class LatencyConfig(Config):
  """The measurement of a space's latency."""

  latency_table: str | None = option(
      None, "Latency table to write; none: latency.json in the run.", path=True, unset="",
  )
  latency_batch: int = option(1, "Images at a time.", least=1, most=MOST_BATCH)
  runtime: str | None = option(
      None, "What runs the network; none: Keras' back end.",
      choices=("tensorflow", "litert", "onnxruntime"), unset="",
  )
  quantize: str | None = option(
      "none", "Measure files in int8.", choices=("none", "int8"),
      rules=(when("runtime", "litert", "onnxruntime"),),
  )
  threads: int | None = option(
      None, "Processors to run on; none: all that there are.", least=1, most=100_000, unset=0,
  )
  warmup: int = option(5, "Calls of each piece before the timed ones.", least=1, most=1_000_000)
  repeats: int = option(50, "Timed calls of each piece.", least=1, most=1_000_000)
  check: int | None = option(
      None, "Random archs to measure whole and to compare with the predictions of the table; none: "
      "no check.", least=1, most=100_000, unset=0,
  )
  check_seed: int | None = option(
      0, "Seed of the archs of --check.", least=0, below=2**32, rules=(given("check"),),
  )

  def __post_init__(self):
    super().__post_init__()
    if self.check == 1:
      raise errors.InputError("`check` must be 0 or >= 2: ranks need two. Received: 1")


@dataclasses.dataclass(frozen=True)
class ExperimentConfig(SearchConfig):
  """The search, if any, of an experiment's rows."""

  trials: int = option(
      1050, "Most archs to score; 0: rows are not searched.", least=0, most=MOST_ARCHS,
  )


@dataclasses.dataclass(frozen=True)
class TruthConfig(Config):
  """Accuracies of archs trained on their own, from a table."""

  table: str | None = option(
      None, "Benchmark table (.npz) that holds the truth.", path=True, unset="",
  )
  truth_dataset: str | None = option(
      None, "Data set of that truth; none: that of the run.", unset="", rules=(given("table"),),
  )
  truth_split: str | None = option(
      "test", "Images that it was measured on.", rules=(given("table"),),
  )
  truth_epochs: int | None = option(
      200, "Length of the trainings that it comes from.", least=1, most=1_000_000,
      rules=(given("table"),),
  )


@dataclasses.dataclass(frozen=True)
class RankConfig(TruthConfig, ScoreConfig, NarrowConfig):
  """The archs that the supernet ranks, and the truth to compare with."""

  archs: str | None = option(
      None, "Archs to rank: subset, all, sample:N, stratified:N (spread over the "
      "multiply-accumulates), #INDEX,#INDEX,..., or a file with one a line; none: subset, or with "
      "--standalone a sample of that many.", unset="",
  )
  subset: str | None = option(
      None, "File of the subset, an arch a line; none: that of the table.", path=True, unset="",
      rules=(when("archs", None, "subset"),),
  )
  rank_seed: int = option(0, "Seed of the sample and of the intervals.", least=0, below=2**32)
  standalone: int | None = option(
      None, "Truth without a table: this many of the archs are trained on their own.", least=1,
      most=MOST_ARCHS, unset=0,
  )

  def __post_init__(self):
    super().__post_init__()
    if self.archs and self.archs.startswith(("sample:", "stratified:")):
      known = re.fullmatch(r"[a-z]*:([1-9][0-9]{0,15})", self.archs)
      if not known or int(known[1]) > MOST_ARCHS:
        raise errors.InputError(
            f"`archs` samples N >= 1, at most {MOST_ARCHS:,}: sample:N or stratified:N. Received: "
            f"{self.archs!r:.60}"
        )
    if self.standalone == 1 or (self.table and self.standalone):
      raise errors.InputError(
          "Give one of `table` and `standalone` >= 2. "
          f"Received: table={self.table!r}, standalone={self.standalone}"
      )


@dataclasses.dataclass(frozen=True)
class NetworkConfig(Config):
  """The network to train or export."""

  arch: str | None = option(
      None, "Arch of the network: its string form, or #index; none: the one the search found.",
      unset="",
  )


@dataclasses.dataclass(frozen=True)
class SubnetConfig(NetworkConfig):
  """The training of a network on its own."""

  inherit: bool = option(False, "Begin with the supernet's weights, not from scratch.")
  subnet_seed: int = option(0, "Seed of weights, order and augmentation.", least=0, below=2**32)
  subnet_epochs: int = option(200, "Epochs.", least=1, most=1_000_000)
  subnet_batch: int = option(256, "Images per step.", least=1, most=MOST_BATCH)
  subnet_learning_rate: float = option(
      0.1, "Learning rate at the first step; it decays to 0 by a cosine.", above=0,
  )
  subnet_l2: float = option(5e-4, "Weight decay, added to the gradient.", least=0)
  subnet_l2_on: str = option(
      "all", "Weights that decay: all, or kernels alone.", choices=("all", "kernels"),
  )
  subnet_label_smoothing: float = option(
      0.0, "Share of a label that is spread over all classes.", least=0, below=1,
  )
  class_weights: str = option("none", WEIGHTS_HELP, choices=WEIGHTS, added=True)
  subnet_dropout: float = option(
      0.0, "Share of the features before the classifier that a step drops.", least=0, below=1,
  )
  subnet_ema: float = option(
      0.0, "Decay of a moving average of the weights, which becomes the network; 0: the last "
      "weights.", least=0, below=1,
  )


@dataclasses.dataclass(frozen=True)
class BaselineConfig(Config):
  """The networks to compare the one found with."""

  baselines: int | None = option(
      None, "Random archs to train as the found one is, within the limits and no dearer than it, "
      "and the largest arch within the limits; none: no baselines.", least=1, most=100_000, unset=0,
  )


@dataclasses.dataclass(frozen=True)
class ExportConfig(NetworkConfig):
  """The network to export, and its destination."""

  export_dir: str | None = option(
      None, "Folder of servables; none: `servable` in the run directory.", path=True, unset="",
  )
  name: str = option("subnet", "Name of the servable.")
  format: tuple = option(
      (SAVED_MODEL,), f"Files to write: {SAVED_MODEL}, for TensorFlow Serving, and any of "
      f"{', '.join(registry.FORMATS)}, for devices.",
  )
  inherited: bool = option(
      False, "Export the supernet's weights, with statistics of training images, as they are.",
  )
  quantize: str = option(
      "none", "Files for devices in int8 too, calibrated on training images.",
      choices=("none", "int8"),
  )

  def __post_init__(self):
    super().__post_init__()
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", self.name):
      raise errors.InputError(
          "`name` must be letters, digits, `_`, `-` and `.`, and begin with one of the first "
          f"three. Received: {self.name!r}"
      )
    errors.refuse_pattern("export_dir", self.export_dir or "")
    given, known = {*self.format}, {SAVED_MODEL, *registry.FORMATS}
    if len(given) < len(self.format) or not {SAVED_MODEL} <= given <= known:
      raise errors.InputError(
          f"`format` must be {SAVED_MODEL}, which the others are compared with, and any of "
          f"{', '.join(registry.FORMATS)}, each once. Received: {','.join(self.format)}"
      )
    if self.quantize != "none" and len(given) == 1:
      raise errors.InputError(
          f"`quantize` needs a `format` for devices: {', '.join(registry.FORMATS)}. Received: "
          f"{self.quantize}, and format={','.join(self.format)}"
      )
