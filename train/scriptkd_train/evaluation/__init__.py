"""How good a model is and where it goes wrong: measures, reports, plots and model cards."""
