"""The experiments of the paper that this project follows, run again and laid beside its figures."""
