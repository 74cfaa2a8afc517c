"""One Bazel test target per test file."""

def pytest_tests(srcs, deps, slow = []):
    """Declares a py_test for each file.

    Args:
      srcs: Test files, such as "spaces/space_test.py", which becomes //tests:spaces/space_test.
      deps: The libraries that these tests may import.
      slow: Those of them that `bazel test //...` leaves out (see .bazelrc).
    """
    for src in srcs:
        native.py_test(
            name = src[:-len(".py")],
            size = "large" if src in slow else "medium",
            srcs = [
                src,
                "run_pytest.py",
            ],
            args = ["$(location %s)" % src],
            data = ["//:setup.cfg"],
            main = "run_pytest.py",
            tags = ["slow"] if src in slow else [],
            deps = deps + [":support"],  # pip: pytest
        )
