"""Training: the chain of a recipe's stages, one stage, and one step."""
