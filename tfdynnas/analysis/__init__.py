"""How far a ranking can be trusted, and what a search found, in numbers and figures.

Importing this imports neither TensorFlow nor matplotlib; drawing does the latter.
"""

from tfdynnas.analysis.nats import read_nats
from tfdynnas.analysis.plots.arch_figure import arch_figure
from tfdynnas.analysis.plots.search_figure import search_figure
from tfdynnas.analysis.rank_metrics import kendall
from tfdynnas.analysis.rank_metrics import spearman
from tfdynnas.analysis.ranking import statistics
from tfdynnas.analysis.results import append_result
from tfdynnas.analysis.results import has_result
from tfdynnas.analysis.results import read_results
from tfdynnas.analysis.results import results_table
from tfdynnas.analysis.standing import standing_line
from tfdynnas.analysis.standing import standing_table
from tfdynnas.analysis.table import Table
from tfdynnas.analysis.table import load_table
from tfdynnas.analysis.table import save_table
