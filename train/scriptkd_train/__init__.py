"""Training for scriptkd: recipes, data, rendering, networks, losses, distillation, evaluation, the paper's tables."""

import os

# Torch's OpenMP threads spin while they wait for each other. Beside another busy process, spinning takes most of the
# time, so the threads sleep instead. OpenMP reads OMP_WAIT_POLICY when torch is imported, so it is set here first. A
# user's own setting stays.
if "GOMP_SPINCOUNT" not in os.environ:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
