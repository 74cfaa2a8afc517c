"""The tool that says which decision of a trained supernet to cut first."""

from tests.tools import launcher


def test_decisions_are_printed_by_their_score_and_the_next_command(trained, copy):
  run = copy(trained)
  said = launcher.succeed("split", f"--run_dir={run}", "--gradient_paths=4").splitlines()
  scores = [float(line.split()[-2]) for line in said[1:-1]]
  assert said[0].split() == ["decision", "groups", "across", "within"]
  assert len(scores) == 3 and scores == sorted(scores, reverse=True)
  begun = f"Go on: tools/train_few_shot.py --flagfile={run}/flags.cfg --few_shot"
  assert said[-1].startswith(begun)
  assert said[-1].endswith(f"--init_from={run} --run_dir={run}_parts")
