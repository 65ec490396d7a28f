"""The rows of the matrix, by their names; each is in the file of what it breaks."""

ROWS = {}


def row(name, text, **more):
    """For a function that injects the faults: fleet, load, failing, recovers, after (see world.py)."""
    def add(faults):
        ROWS[name] = dict(more, text=text, faults=faults)
        return faults
    return add


def load():
    """All of them, in order."""
    import rows_cluster  # noqa: F401
    import rows_data  # noqa: F401
    import rows_network  # noqa: F401
    import rows_processes  # noqa: F401
    import rows_redis  # noqa: F401

    return dict(sorted(ROWS.items()))
