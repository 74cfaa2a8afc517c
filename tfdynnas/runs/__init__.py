"""A run directory and the jobs that add to it: what the tools call, without flags."""

from tfdynnas.runs.directory import RunDir
from tfdynnas.runs.few_shot import train_few_shot
from tfdynnas.runs.rank import run_rank
from tfdynnas.runs.report import run_report
from tfdynnas.runs.search import run_search
from tfdynnas.runs.search import run_worker
from tfdynnas.runs.servable import export_subnet
from tfdynnas.runs.servable import find_servable
from tfdynnas.runs.split import run_split
from tfdynnas.runs.subnet import train_subnet
from tfdynnas.runs.supernet import train_supernet
