"""A subnet that begins with the supernet's weights: --inherit."""

import keras
import numpy as np

from tests.tools import launcher


def test_inherited_weights_are_those_of_the_supernet(trained, copy):
  run = copy(trained)
  flags = (launcher.ARCH, "--inherit", "--subnet_epochs=1", "--subnet_learning_rate=1e-12")
  launcher.succeed("train_subnet", *flags, f"--run_dir={run}")
  model = keras.saving.load_model(run / "subnet_23" / "model.keras", compile=False)
  with np.load(run / "supernet" / "checkpoint.npz") as file:
    arrays = {name.rpartition("/")[2]: file[name] for name in file.files if "model/" in name}
  for layer, name in (("stem_conv", "stem"), ("dense", "dense_kernel")):
    np.testing.assert_allclose(model.get_layer(layer).get_weights()[0], arrays[name], atol=1e-7)
  line = launcher.refusal(launcher.run("train_subnet", *flags[:1], f"--run_dir={run}"))
  assert "inherit=True there, False here" in line
