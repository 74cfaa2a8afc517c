"""What a run is asked to do, as frozen records whose fields are the flags of the same name.

A field's metadata holds its help text and its bounds, so that they are written once.
"""

import dataclasses
import math
import re

from tfdynnas import errors


def option(default, text, least=None, most=None, below=None, above=None, choices=None):
  """A field of a config: default, help text, inclusive or exclusive bounds, allowed values."""
  rules = {"least": least, "most": most, "below": below, "above": above, "choices": choices}
  return dataclasses.field(default=default, metadata={"help": text, **rules})


def problem(field, value):
  """Says what is wrong with a field's value, None if nothing is."""
  rules = field.metadata
  if isinstance(value, float) and not math.isfinite(value):
    return f"`{field.name}` must be a finite number. Received: {value}"
  for name, sign, good in (
      ("least", ">=", lambda bound: value >= bound), ("most", "<=", lambda bound: value <= bound),
      ("above", ">", lambda bound: value > bound), ("below", "<", lambda bound: value < bound),
      ("choices", "one of", lambda allowed: value in allowed),
  ):
    if rules[name] is not None and not good(rules[name]):
      return f"`{field.name}` must be {sign} {rules[name]}. Received: {value}"
  return None


class Config:
  """Base of the records: refuses values out of bounds."""

  def __post_init__(self):
    for field in dataclasses.fields(self):
      wrong = problem(field, getattr(self, field.name))
      if wrong:
        raise errors.InputError(wrong)

  def as_dict(self):
    """The fields as a JSON-able dict."""
    return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class DataConfig(Config):
  """Which images, and how they are cut up."""

  dataset: str = option("", "`digits`, or the name of a tfds data set.")
  image_dir: str = option("", "Folder of images in class folders, in place of --dataset.")
  data_file: str = option("", "Packed file that tools/pack.py made, in place of --dataset.")
  data_dir: str = option("", "Folder of prepared tfds data sets; empty: tfds' own.")
  download: bool = option(False, "Let tfds download and prepare the data set if it is not there.")
  image_size: int = option(0, "Height and width of the images, pixels; 0 keeps their own.", least=0)
  downsample: int = option(1, "Side of the blocks of pixels whose mean becomes one.", least=1)
  keep_classes: int = option(0, "Keep the labels below this number; 0 keeps all.", least=0)
  valid_share: float = option(
      0.5, "Share of the training images to validate on.", above=0, below=1
  )
  split_file: str = option("", "CIFAR-10: the literature's list of training images.")
  data_seed: int = option(0, "Seed of the split.", least=0, below=2**32)

  def __post_init__(self):
    super().__post_init__()
    sources = {name: getattr(self, name) for name in ("dataset", "image_dir", "data_file")}
    if len(list(filter(None, sources.values()))) != 1:
      received = ", ".join(f"{name}={value!r}" for name, value in sources.items())
      raise errors.InputError(
          f"Give one of `dataset`, `image_dir` and `data_file`. Received: {received}"
      )


@dataclasses.dataclass(frozen=True)
class PackConfig(Config):
  """What is packed into one file."""

  dataset: str = option("", "`digits`, or the name of a tfds data set.")
  image_dir: str = option("", "Folder of images in class folders, in place of --dataset.")
  data_dir: str = option("", "Folder of prepared tfds data sets; empty: tfds' own.")
  download: bool = option(False, "Let tfds download and prepare the data set if it is not there.")
  data_file: str = option("", "File to write, .npz.")

  def __post_init__(self):
    super().__post_init__()
    if bool(self.dataset) == bool(self.image_dir) or not self.data_file:
      raise errors.InputError(
          "Give `data_file`, and one of `dataset` and `image_dir`. Received: "
          f"data_file={self.data_file!r}, dataset={self.dataset!r}, image_dir={self.image_dir!r}"
      )


@dataclasses.dataclass(frozen=True)
class SpaceConfig(Config):
  """Which space, at which size."""

  space: str = option("nasbench201", "Search space.", choices=("nasbench201",))
  channels: int = option(16, "Channels of the first stage.", least=1)
  cells: int = option(5, "Cells in each stage.", least=1)


@dataclasses.dataclass(frozen=True)
class SupernetConfig(Config):
  """How the supernet is trained."""

  seed: int = option(0, "Seed of weights, archs, order and augmentation.", least=0, below=2**32)
  epochs: int = option(250, "Epochs of the whole training.", least=1)
  batch: int = option(64, "Images per step, of all devices together.", least=1)
  learning_rate: float = option(0.025, "Learning rate at the first step.", above=0)
  method: str = option(
      "spos", "What a step trains: one arch; each choice once; the largest, the smallest and some.",
      choices=("spos", "fairnas", "sandwich"),
  )
  sampler: str = option(
      "uniform", "How archs are drawn: uniformly, in proportion to their complexity, a level of "
      "complexity first, or by the gradients of their choices.",
      choices=("uniform", "proportional", "stratified", "pa"),
  )
  random_paths: int = option(2, "sandwich: drawn archs of a step.", least=1)
  schedule: str = option(
      "calr", "Learning rate: by complexity (reversed: large subnets decay fast), or alike for "
      "all: cosine, constant, (1 - t / T) ** gamma.",
      choices=("calr", "reversed", "cosine", "constant", "polynomial"),
  )
  gamma: float = option(1.0, "Schedule polynomial: exponent.", above=0)
  gamma_max: float = option(4.0, "CaLR: greatest exponent, and 1 over the least.", least=1)
  calr_on: str = option(
      "lr", "CaLR of several paths a step: on learning rates, or, as published, on losses at a "
      "constant one.", choices=("lr", "loss"),
  )
  momentum_groups: str = option(
      "split", "Momentum: MS, a buffer per choice of one decision; as many groups at random; or "
      "one shared by all.", choices=("split", "random", "shared"),
  )
  split_decision: int = option(-1, "MS: that decision; -1 draws it from the seed.", least=-1)
  momentum: float = option(0.9, "Momentum.", least=0, below=1)
  l2: float = option(5e-4, "Weight decay, added to the gradient.", least=0)
  max_norm: float = option(5.0, "Greatest norm of the gradient; 0 does not clip.", least=0)
  off_path: str = option(
      "moved", "What becomes of weights that the step's subnet does not have.",
      choices=("moved", "frozen"),
  )
  pad: int = option(4, "Zeros around an image before the random crop, pixels.", least=0)
  flip: bool = option(True, "Flip images at random.")

  def __post_init__(self):
    super().__post_init__()
    by_complexity = self.schedule in ("calr", "reversed")
    for wrong, rule, received in (
        (self.method == "fairnas" and self.sampler != "uniform",
         "`sampler` must be uniform with method=fairnas", self.sampler),
        (self.method == "sandwich" and self.sampler == "pa",
         "`sampler` pa needs method=spos", f"method={self.method}"),
        (self.method == "sandwich" and self.momentum_groups == "split",
         "`momentum_groups` must be random or shared with method=sandwich", self.momentum_groups),
        (self.calr_on == "loss" and (self.method == "spos" or not by_complexity),
         "`calr_on=loss` needs method=fairnas or sandwich, and schedule=calr or reversed",
         f"method={self.method}, schedule={self.schedule}"),
    ):
      if wrong:
        raise errors.InputError(f"{rule}. Received: {received}")


@dataclasses.dataclass(frozen=True)
class FewShotConfig(Config):
  """How a supernet is cut into parts that are trained one by one."""

  few_shot_decision: int = option(0, "The decision whose choices are cut into parts.", least=0)
  few_shot_groups: str = option(
      "", "Choices of each part, as 0,1;2,3,4; empty: a part for each choice."
  )
  init_from: str = option(
      "", "Run directory of a trained supernet whose weights every part begins with."
  )

  def __post_init__(self):
    super().__post_init__()
    if not re.fullmatch(r"(\d+(,\d+)*(;\d+(,\d+)*)*)?", self.few_shot_groups):
      raise errors.InputError(
          "`few_shot_groups` must look like 0,1;2,3,4: choices by number. "
          f"Received: {self.few_shot_groups!r}"
      )


@dataclasses.dataclass(frozen=True)
class SplitConfig(Config):
  """How a decision to cut is found."""

  gradient_paths: int = option(
      100, "Paths over which the distances between gradients are averaged.", least=1
  )


@dataclasses.dataclass(frozen=True)
class DeviceConfig(Config):
  """Where it runs; nothing here changes what is computed, but for `mirrored`."""

  distribution: str = option(
      "none", "`mirrored` trains on several devices at once.", choices=("none", "mirrored")
  )
  devices: tuple = option((), "Devices such as GPU:0,GPU:1 or CPU:0,CPU:1; empty: as they come.")
  deterministic: bool = option(False, "Give the same bits in every run; slower.")
  checkpoint_steps: int = option(1000, "Steps between checkpoints.", least=1)


@dataclasses.dataclass(frozen=True)
class ProbeConfig(Config):
  """What is looked at while a supernet is trained; nothing here changes what it learns."""

  probe_epochs: int = option(
      0, "Epochs between looks at complexity classes and at gradients; 0: none.", least=0
  )
  probe_archs: int = option(40, "Archs to score at each look.", least=1)
  probe_images: int = option(1000, "Validation images to score them on; 0: all.", least=0)


@dataclasses.dataclass(frozen=True)
class ScoreConfig(Config):
  """How an arch is scored with the weights it inherits."""

  score_images: int = option(0, "Validation images to score on; 0: all.", least=0)
  score_batch: int = option(256, "Images per batch of a score.", least=2)
  calibration: int = option(
      0, "Training images whose statistics normalise; 0: those of each batch.", least=0
  )


@dataclasses.dataclass(frozen=True)
class SearchConfig(ScoreConfig):
  """How archs are searched for."""

  search: str = option(
      "evolution", "Search for the most accurate arch, or for the front of accuracy and costs.",
      choices=("evolution", "pareto"),
  )
  pareto_costs: tuple = option(
      ("params",), "pareto: kinds of cost of the front: params, macs, bytes, latency."
  )
  search_seed: int = option(0, "Seed of the search.", least=0, below=2**32)
  trials: int = option(1050, "Archs to score at most.", least=1)
  population: int = option(50, "Archs of one generation.", least=2)
  parents: int = option(
      10, "evolution: best archs so far that breed the next generation.", least=1
  )
  mutants: int = option(25, "Mutants in a generation.", least=0)
  crossovers: int = option(25, "Crossovers in a generation.", least=0)
  mutation: float = option(
      0.1, "Probability that a mutant's choice is drawn anew.", least=0, most=1
  )
  max_params: int = option(0, "Most params of the network; 0: no limit.", least=0)
  max_macs: int = option(0, "Most multiply-accumulates for one image; 0: no limit.", least=0)
  max_bytes: int = option(0, "Most bytes of the weights, 4 a param; 0: no limit.", least=0)
  max_latency: float = option(
      0.0, "Most milliseconds by --latency_table; 0: no limit.", least=0
  )
  latency_table: str = option("", "Latency table that tools/measure_latency.py wrote.")

  def __post_init__(self):
    super().__post_init__()
    self._check_costs()
    if self.mutants + self.crossovers > self.population:
      raise errors.InputError(
          "`mutants` + `crossovers` must be <= `population`. Received: "
          f"{self.mutants} + {self.crossovers} > {self.population}"
      )

  def _check_costs(self):
    """Refuses costs of a front that are none, and latency without its table."""
    kinds = ("params", "macs", "bytes", "latency")
    costs = self.pareto_costs
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
  """How the latency of a space is measured."""

  latency_table: str = option("", "Latency table to write; empty: latency.json in the run.")
  latency_batch: int = option(1, "Images at a time.", least=1)
  threads: int = option(0, "Processors to run on; 0: all that there are.", least=0)
  warmup: int = option(5, "Calls that are not timed, of each piece.", least=1)
  repeats: int = option(50, "Calls that are timed, of each piece.", least=1)
  check: int = option(
      0, "Random archs to measure whole, against what the table says; 0: none.", least=0
  )
  check_seed: int = option(0, "Seed of those archs.", least=0, below=2**32)

  def __post_init__(self):
    super().__post_init__()
    if self.check == 1:
      raise errors.InputError("`check` must be 0 or >= 2: ranks need two. Received: 1")


@dataclasses.dataclass(frozen=True)
class ExperimentConfig(SearchConfig):
  """How the rows of a table are searched, if they are."""

  trials: int = option(1050, "Archs to score at most; 0: rows are not searched.", least=0)


@dataclasses.dataclass(frozen=True)
class TruthConfig(Config):
  """What archs are worth when each is trained on its own, as a table says."""

  table: str = option("", "Benchmark table (.npz) that holds the truth.")
  truth_dataset: str = option("", "Data set of that truth; empty: that of the run.")
  truth_split: str = option("test", "Images that it was measured on.")
  truth_epochs: int = option(200, "Length of the trainings that it comes from.", least=1)


@dataclasses.dataclass(frozen=True)
class RankConfig(TruthConfig, ScoreConfig):
  """Which archs the supernet ranks, and against which truth."""

  archs: str = option(
      "", "Archs to rank: subset, all, sample:N, #INDEX,#INDEX,..., or a file with one a line; "
      "empty: subset, or with --standalone a sample of that many."
  )
  subset: str = option("", "File of the subset, an arch a line; empty: that of the table.")
  rank_seed: int = option(0, "Seed of sample and intervals.", least=0, below=2**32)
  standalone: int = option(
      0, "Truth without a table: train the first so many archs on their own.", least=0
  )

  def __post_init__(self):
    super().__post_init__()
    if self.archs.startswith("sample:") and not re.fullmatch(r"sample:0*[1-9]\d*", self.archs):
      raise errors.InputError(f"`archs` samples N >= 1: sample:N. Received: {self.archs!r}")
    if self.standalone == 1 or (self.table and self.standalone):
      raise errors.InputError(
          "Give one of `table` and `standalone` >= 2. "
          f"Received: table={self.table!r}, standalone={self.standalone}"
      )


@dataclasses.dataclass(frozen=True)
class SubnetConfig(Config):
  """How the found network is trained on its own."""

  arch: str = option(
      "", "Arch to train: its string form, or #index; empty: the one the search found."
  )
  inherit: bool = option(False, "Begin with the supernet's weights, not from scratch.")
  subnet_seed: int = option(0, "Seed of weights, order and augmentation.", least=0, below=2**32)
  subnet_epochs: int = option(200, "Epochs.", least=1)
  subnet_batch: int = option(256, "Images per step.", least=1)
  subnet_learning_rate: float = option(
      0.1, "Learning rate at the first step; cosine to 0.", above=0
  )
  subnet_l2: float = option(5e-4, "Weight decay, added to the gradient.", least=0)


@dataclasses.dataclass(frozen=True)
class ExportConfig(Config):
  """Where the servable goes."""

  export_dir: str = option("", "Folder of servables; empty: `servable` in the run directory.")
  name: str = option("subnet", "Name of the servable.")

  def __post_init__(self):
    super().__post_init__()
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", self.name):
      raise errors.InputError(
          "`name` must be letters, digits, `_`, `-` and `.`, and begin with one of the first "
          f"three. Received: {self.name!r}"
      )
