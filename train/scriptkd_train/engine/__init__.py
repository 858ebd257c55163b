"""Training: a recipe's stages in their order, one stage, one step."""
