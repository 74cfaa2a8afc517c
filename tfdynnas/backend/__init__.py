"""The one place that knows which backend runs Keras.

`current` is the Backend of this process; it is made, and Keras imported, when it is first read.
The other modules hold small functions whose form differs between backends.
"""


def __getattr__(name):
  if name != "current":
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
  from tfdynnas.backend import selection
  globals()["current"] = selection.select()
  return globals()["current"]
