"""The ${{ }} language: tokens, tree, check, evaluate."""
