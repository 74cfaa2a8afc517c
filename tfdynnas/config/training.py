"""The training of a supernet, by one process or several, and its probes."""

import collections
import dataclasses
import re

from tfdynnas import errors
from tfdynnas import registry
from tfdynnas.config.jobs import WEIGHTS
from tfdynnas.config.jobs import WEIGHTS_HELP
from tfdynnas.config.option import MOST_BATCH
from tfdynnas.config.option import Config
from tfdynnas.config.option import given
from tfdynnas.config.option import option
from tfdynnas.config.option import when

_CALR = when("schedule", "calr", "reversed")
_NUMBER = r"[0-9]{1,18}(\.[0-9]{1,18})?(e[0-9]{1,2})?"
_BUDGET = rf"(complexity|params|macs):{_NUMBER}-{_NUMBER}(,{_NUMBER}-{_NUMBER})*"


@dataclasses.dataclass(frozen=True)
class SupernetConfig(Config):
  """The training of the supernet."""

  seed: int = option(0, "Seed of weights, archs, order and augmentation.", least=0, below=2**32)
  epochs: int = option(250, "Epochs of the whole training.", least=1, most=1_000_000)
  batch: int = option(64, "Images per step, of all devices together.", least=1, most=MOST_BATCH)
  learning_rate: float = option(0.025, "Learning rate at the first step.", above=0)
  method: str = option(
      "spos", "What a step trains: one arch (spos); each choice once (fairnas); the largest, the "
      "smallest and random archs (sandwich).", choices=registry.METHODS,
  )
  sampler: str = option(
      "uniform", "How archs are drawn: uniformly; in proportion to their complexity; a level of "
      "complexity first (stratified); by the gradients of their choices, and images by theirs "
      "(pada); from ranges of a cost (budget).",
      choices=collections.ChainMap(registry.LEARNING_SAMPLERS, registry.SAMPLERS),
  )
  budget: str | None = option(
      None, "Ranges of a cost, equally likely, as macs:300e6-310e6,310e6-320e6.", unset="",
      rules=(when("sampler", "budget"),),
  )
  random_paths: int | None = option(
      2, "sandwich: random archs of a step.", least=1, most=1_000,
      rules=(when("method", "sandwich"),),
  )
  sharing: str = option(
      "separate", "Kernels of the choices: each has its own; or one holds all, and smaller ones "
      "are its middle and its first channels.", choices=("separate", "shared"),
  )
  branch_scale: str = option(
      "none", "Scale per channel at the end of a residual branch, as mobilenet has them: none, or "
      "one that is learnt from zero.", choices=("none", "zero"),
  )
  schedule: str = option(
      "calr", "Learning rate: by complexity (calr; reversed: large subnets decay faster), or the "
      "same for all: cosine, constant, (1 - t / T) ** gamma.",
      choices=("calr", "reversed", "cosine", "constant", "polynomial"),
  )
  gamma: float | None = option(
      1.0, "Exponent of the polynomial schedule.", above=0, rules=(when("schedule", "polynomial"),),
  )
  gamma_max: float | None = option(
      4.0, "CaLR: the greatest exponent; the least is 1 / gamma_max.", least=1, most=1_000,
      rules=(_CALR,),
  )
  calr_on: str | None = option(
      "lr", "CaLR with several paths a step: it acts on learning rates or, as published, on the "
      "losses at a constant rate.", choices=("lr", "loss"),
      rules=(when("method", "fairnas", "sandwich"), _CALR),
  )
  momentum_groups: str = option(
      "split", "Momentum buffers: one for each choice of a decision (split, MS); as many, for "
      "archs grouped at random; one, shared by all.", choices=("split", "random", "shared"),
  )
  split_decision: int | None = option(
      None, "MS: the decision whose choices form the groups; none: drawn from the seed.", least=0,
      most=10_000, unset=-1, rules=(when("momentum_groups", "split", "random"),),
  )
  momentum: float = option(0.9, "Momentum.", least=0, below=1)
  l2: float = option(5e-4, "Weight decay, added to the gradient.", least=0)
  max_norm: float = option(5.0, "Greatest norm of the gradient; 0 does not clip.", least=0)
  off_path: str = option(
      "moved", "What becomes of weights that the step's subnet does not have.",
      choices=("moved", "frozen"),
  )
  label_smoothing: float = option(
      0.0, "Share of a label that is spread over all classes.", least=0, below=1,
  )
  class_weights: str = option("none", WEIGHTS_HELP, choices=WEIGHTS)
  precision: str = option(
      "float32", "What layers compute in; weights and all that is learnt stay float32.",
      choices=("float32", "mixed_bfloat16"),
  )
  pad: int | None = option(
      4, "Zeros around an image before the random crop, pixels.", least=0,
      most=32_767,  # A crop's position, up to 2 pad, is below 2**16.
      rules=(when("crop", "whole"),),
  )
  flip: bool = option(True, "Flip images at random.")
  jitter: float = option(
      0.0, "Greatest random change of brightness, contrast and saturation, each as a share.",
      least=0, most=1,
  )
  jitter_hue: float = option(
      0.0, "Greatest random turn of the hue, as a share of the circle.", least=0, most=0.5,
  )

  def __post_init__(self):
    super().__post_init__()
    for wrong, rule, received in (
        (self.method == "fairnas" and self.sampler != "uniform",
         "`sampler` must be uniform with method=fairnas", self.sampler),
        (self.method != "spos" and self.sampler in registry.LEARNING_SAMPLERS,
         f"`sampler` {self.sampler} needs method=spos", f"method={self.method}"),
        (self.method == "sandwich" and self.momentum_groups == "split",
         "`momentum_groups` must be random or shared with method=sandwich", self.momentum_groups),
        (self.method != "spos" and self.sampler == "budget",
         "`sampler` budget needs method=spos", f"method={self.method}"),
        (self.sampler == "budget" and not self.budget,
         "`sampler` budget needs `budget`", "none"),
        (self.budget and not re.fullmatch(_BUDGET, self.budget),
         "`budget` must look like macs:300e6-310e6,310e6-320e6", repr(self.budget)),
    ):
      if wrong:
        raise errors.InputError(f"{rule}. Received: {received}")


@dataclasses.dataclass(frozen=True)
class FewShotConfig(Config):
  """The parts of a few-shot supernet, trained one by one."""

  few_shot_decision: int = option(
      0, "The decision whose choices are cut into parts.", least=0, most=10_000,
  )
  few_shot_groups: str | None = option(
      None, "Choices of each part, as 0,1;2,3,4; none: a part for each choice.", unset="",
  )
  init_from: str | None = option(
      None, "Run directory of a trained supernet whose weights every part begins with.", path=True,
      unset="",
  )

  def __post_init__(self):
    super().__post_init__()
    choice = "[0-9]{1,9}"
    if not re.fullmatch(rf"({choice}(,{choice})*(;{choice}(,{choice})*)*)?",
                        self.few_shot_groups or ""):
      raise errors.InputError(
          "`few_shot_groups` must look like 0,1;2,3,4: choices by number. "
          f"Received: {self.few_shot_groups!r}"
      )


@dataclasses.dataclass(frozen=True)
class SplitConfig(Config):
  """The cut of a decision in two, found by gradients."""

  gradient_paths: int = option(
      100, "Paths over which the distances between gradients are averaged.", least=1, most=1_000_000
  )


@dataclasses.dataclass(frozen=True)
class DeviceConfig(Config):
  """The devices; of these settings only the number of devices changes what is computed."""

  distribution: str = option(
      "none", "`mirrored` trains on several devices at once, `multi_worker` on those of several "
      "processes that TF_CONFIG names.", choices=("none", "mirrored", "multi_worker"),
  )
  devices: tuple = option((), "Devices such as GPU:0,GPU:1 or CPU:0,CPU:1; empty: as they come.")
  deterministic: bool = option(False, "Give the same bits in every run, more slowly.")
  checkpoint_steps: int = option(1000, "Steps between checkpoints.", least=1, most=10**9)
  step_seconds: float | None = option(
      600.0, "Most seconds that the start, a step, or a probe of one arch may take.", above=0,
      rules=(when("distribution", "multi_worker"),),
  )


@dataclasses.dataclass(frozen=True)
class ProbeConfig(Config):
  """The probes of a supernet's training; nothing here changes what it learns."""

  probe_epochs: int | None = option(
      None, "Epochs between probes of complexity classes and of gradients; none: no probes.",
      least=1, most=1_000_000, unset=0,
  )
  probe_archs: int | None = option(
      40, "Archs to score at each probe.", least=1, most=100_000, rules=(given("probe_epochs"),),
  )
  probe_images: int | None = option(
      1000, "Validation images of a probe; 0: all.", least=0, most=10**9,
      rules=(given("probe_epochs"),),
  )
