"""Models out: a found subnet as a plain Keras model, served by TensorFlow Serving.

Importing this package imports neither TensorFlow nor Keras; exporting does.
"""

from tfdynnas.serving.draft import check
from tfdynnas.serving.servable import export
from tfdynnas.serving.version_folder import write_version
