"""A still, as code."""

HEADS = 0.05


class Still:
    """Of copper."""

    # Discard the foreshots before they reach the jar.
    @staticmethod
    def run(wash):
        return wash * HEADS


print(Still.run(20))
