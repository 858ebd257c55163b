"""Training for scriptkd: recipes, data, rendering, networks, losses, distillation, evaluation, the paper's tables."""

import os

# Torch's OpenMP threads wait for each other by spinning, which beside one busy process takes most of the time: let them
# sleep. OpenMP reads this when torch is imported, so it is set before, unless the user has said how to wait.
if "GOMP_SPINCOUNT" not in os.environ:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
