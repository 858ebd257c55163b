"""Training for scriptkd: recipes, data, rendering, networks, losses, distillation, evaluation, the paper's tables."""

import os

# Torch's OpenMP threads spin while they wait for each other. Beside another busy process, that takes most of the time,
# so let them sleep. OpenMP reads this variable when torch is imported, so it is set before, unless the user has set it.
if "GOMP_SPINCOUNT" not in os.environ:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
