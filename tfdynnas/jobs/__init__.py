"""A run directory and the jobs that add to it: what the tools call, without flags."""

from tfdynnas.jobs.baselines import train_baselines
from tfdynnas.jobs.chain import later_jobs
from tfdynnas.jobs.export import export_subnet
from tfdynnas.jobs.export import find_servable
from tfdynnas.jobs.few_shot import train_few_shot
from tfdynnas.jobs.rank import run_rank
from tfdynnas.jobs.report import run_report
from tfdynnas.jobs.run_directory import RunDir
from tfdynnas.jobs.search import cost_ranges
from tfdynnas.jobs.search import run_search
from tfdynnas.jobs.search import run_worker
from tfdynnas.jobs.split import run_split
from tfdynnas.jobs.subnet import signal_note
from tfdynnas.jobs.subnet import train_subnet
from tfdynnas.jobs.supernet import train_supernet
