"""Evaluation: metrics, reports, error analysis, plots and model cards."""
