"""One whole click by flamapy, run by a Python that has it (see ``benchmarks.engine``).

Reads ``{"model", "clicks": [{feature: bool}], "features"}`` as JSON; answers, per click,
the processor seconds and the clock's, and for each feature whether it can be chosen and
whether it can be left out. Imports nothing of this project: flamapy is GPL and no dependency of it.
"""

import json
import sys
import time

from flamapy.interfaces.python.flamapy_feature_model import FLAMAFeatureModel


def main() -> None:
    """Answer what was asked on standard input."""
    asked = json.load(sys.stdin)
    model = FLAMAFeatureModel(asked["model"])
    model.satisfiable_configuration({}, False)
    answered = []
    for chosen in asked["clicks"]:
        clock, processor = time.perf_counter(), time.process_time()
        possible = [
            [
                chosen[feature] == taken
                if feature in chosen
                else model.satisfiable_configuration({**chosen, feature: taken}, False)
                for taken in (True, False)
            ]
            for feature in asked["features"]
        ]
        processor, clock = time.process_time() - processor, time.perf_counter() - clock
        answered.append({"possible": possible, "clock": clock, "processor": processor})
    json.dump(answered, sys.stdout)


if __name__ == "__main__":
    main()
