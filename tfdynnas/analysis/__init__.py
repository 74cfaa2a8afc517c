"""How far a ranking can be trusted, and what a search found, in numbers and figures.

Importing this imports neither TensorFlow nor matplotlib; drawing does the latter.
"""

from tfdynnas.analysis.cell_figure import cell_figure
from tfdynnas.analysis.figures import search_figure
