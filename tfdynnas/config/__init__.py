"""The settings of the jobs: frozen records whose fields are the flags of the same name."""

from tfdynnas.config.data import DataConfig
from tfdynnas.config.data import PackConfig
from tfdynnas.config.data import RecordConfig
from tfdynnas.config.jobs import SAVED_MODEL
from tfdynnas.config.jobs import BaselineConfig
from tfdynnas.config.jobs import ExperimentConfig
from tfdynnas.config.jobs import ExportConfig
from tfdynnas.config.jobs import LatencyConfig
from tfdynnas.config.jobs import NarrowConfig
from tfdynnas.config.jobs import NetworkConfig
from tfdynnas.config.jobs import RankConfig
from tfdynnas.config.jobs import ScoreConfig
from tfdynnas.config.jobs import SearchConfig
from tfdynnas.config.jobs import SubnetConfig
from tfdynnas.config.jobs import TruthConfig
from tfdynnas.config.option import Config
from tfdynnas.config.space import SpaceConfig
from tfdynnas.config.stored import stored_search
from tfdynnas.config.training import DeviceConfig
from tfdynnas.config.training import FewShotConfig
from tfdynnas.config.training import ProbeConfig
from tfdynnas.config.training import SplitConfig
from tfdynnas.config.training import SupernetConfig
